/** What a customer sends and reads back: the shapes of `POST /tickets` and `GET /tickets/{id}`. */

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

export interface ThreadMessage {
  author: Author;
  text: string;
  /** ISO 8601. */
  at: string;
}

export interface Ticket {
  status: TicketStatus;
  messages: ThreadMessage[];
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
