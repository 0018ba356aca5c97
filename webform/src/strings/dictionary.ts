import type { FailureKind } from '../failure';
import type { Author, Category, FieldName, TicketStatus } from '../ticket';
import type { Problem } from '../validation';

/** Every word a customer sees. A language is a file of them, listed in index.ts. */
export interface Strings {
  heading: string;
  intro: string;
  optional: string;
  labels: Record<FieldName, string>;
  hints: { email: string; phone: string };
  categories: Record<Category, string>;
  problems: Record<Problem, Record<FieldName, string>>;
  refused: string;
  left: (count: number) => string;
  over: (count: number) => string;
  summary: (count: number) => string;
  submit: string;
  sending: string;
  tryAgain: string;
  failures: Record<FailureKind, string>;
  waitFor: (seconds: number) => string;
  backOnline: string;
  thread: string;
  authors: Record<Author, string>;
  statuses: Record<TicketStatus, string>;
  slow: string;
  reconnecting: string;
  offlineThread: string;
  notFound: string;
  copyLink: string;
  copied: string;
  linkToKeep: string;
  anew: string;
}
