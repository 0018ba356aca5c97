import type { FailureKind } from '../failure';
import type { Author, Category, FieldName, Score, TicketStatus } from '../ticket';
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
  /** With a name and an address. */
  signedIn: (who: string) => string;
  /** For the label of a field that nobody sees. */
  trap: string;
  failures: Record<FailureKind, string>;
  retry: {
    goesOn: string;
    /** With a span of time, such as "30 seconds". */
    in: (span: string) => string;
    online: string;
    byHand: string;
  };
  backOnline: string;
  thread: string;
  authors: Record<Author, string>;
  statuses: Record<TicketStatus, string>;
  escalated: string;
  trust: { claimed: string; verified: string };
  slow: string;
  reconnecting: string;
  offlineThread: string;
  notFound: string;
  copyLink: string;
  copied: string;
  linkToKeep: string;
  back: string;
  anew: string;
  reply: {
    label: string;
    /** The label on a closed ticket. */
    reopen: string;
    send: string;
    attach: string;
    drop: string;
    limits: (files: number) => string;
    /** With a size, such as "10 MB". */
    limitOfEach: (size: string) => string;
    chosen: string;
    remove: (name: string) => string;
    uploading: string;
    nothing: string;
    tooMany: (most: number) => string;
    tooBig: (name: string, most: string) => string;
    /** With a size for all files of a message. */
    tooMuch: (most: string) => string;
    empty: (name: string) => string;
    /** After a reload, with the names of the files that were chosen before it. */
    again: (names: string) => string;
  };
  files: { list: string; download: string; failed: string };
  rating: {
    question: string;
    /** In place of the question, when the ticket was closed and its customer is asked. */
    asked: string;
    scores: Record<Score, string>;
    comment: string;
    send: string;
    thanks: (score: string) => string;
    change: string;
    failed: string;
  };
  launcher: { open: string; close: string; news: (count: number) => string };
}
