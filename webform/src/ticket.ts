/** What a customer sends and reads back: the shapes of `POST /tickets` and `GET /tickets/{id}`. */

/** `claimed`: the address was typed. `verified`: the site vouched for it, or the mailed link was opened. */
export const TRUSTS = ['claimed', 'verified'] as const;
export type Trust = (typeof TRUSTS)[number];

export const CATEGORIES = ['general', 'technical', 'billing', 'feedback'] as const;
export type Category = (typeof CATEGORIES)[number];

export const STATUSES = ['received', 'open', 'answered', 'escalated', 'closed'] as const;
export type TicketStatus = (typeof STATUSES)[number];

export const AUTHORS = ['customer', 'agent', 'human'] as const;
export type Author = (typeof AUTHORS)[number];

export const FIELDS = ['name', 'email', 'phone', 'subject', 'category', 'message'] as const;
export type FieldName = (typeof FIELDS)[number];

/** Most characters (code points) each field may hold. */
export const LIMITS = { name: 200, email: 254, phone: 40, subject: 200, message: 20_000 } as const;

export interface Draft {
  name: string;
  email: string;
  phone: string;
  subject: string;
  category: Category;
  message: string;
}

/** Names a ticket and proves the right to read it. */
export interface TicketRef {
  id: string;
  token: string;
}

/** A file of a message. Its contents are read by its id with the ticket's token, while they are kept. */
export interface Attachment {
  id?: string | undefined;
  name: string;
  contentType: string;
  /** Bytes. */
  size: number;
}

export interface ThreadMessage {
  id?: string | undefined;
  author: Author;
  text: string;
  /** ISO 8601. */
  at: string;
  attachments?: Attachment[] | undefined;
}

/** 1 is the worst, 5 the best. */
export const SCORES = [1, 2, 3, 4, 5] as const;
export type Score = (typeof SCORES)[number];

export interface Ticket {
  status: TicketStatus;
  messages: ThreadMessage[];
  trust?: Trust | undefined;
  rating?: Score | undefined;
  canRate?: boolean | undefined;
  /** The ticket was closed, and its customer is asked for a rating. */
  asked?: boolean | undefined;
}

/** What goes along with a ticket besides its fields. */
export interface Extras {
  /** The embedding site's signed word for who is writing. */
  identity?: string | undefined;
  /** How many files follow at once: the message is answered together with them. */
  files?: number | undefined;
  page: { trap: string; opened_ms: number; challenge?: string };
}

export const EMPTY_DRAFT: Draft = {
  name: '',
  email: '',
  phone: '',
  subject: '',
  category: 'general',
  message: '',
};

export function isOneOf<T extends string>(values: readonly T[], value: unknown): value is T {
  return (values as readonly unknown[]).includes(value);
}
