/** From the API's JSON to the page's shapes: strict about what it cannot do without, lenient about the rest. */
import { Failure } from './failure';
import {
  type Attachment,
  AUTHORS,
  isOneOf,
  SCORES,
  type Score,
  STATUSES,
  type ThreadMessage,
  type Ticket,
  type TicketRef,
  TRUSTS,
  type Trust,
} from './ticket';

export interface Created extends TicketRef {
  trust?: Trust | undefined;
}

type Raw = Record<string, unknown>;

const rawOf = (value: unknown): Raw =>
  (value !== null && typeof value === 'object' ? value : {}) as Raw;

export function parseCreated(body: unknown): Created {
  const { ticket_id: id, token, trust } = rawOf(body);
  if (typeof id !== 'string' || typeof token !== 'string') throw new Failure('unexpected');
  return isOneOf(TRUSTS, trust) ? { id, token, trust } : { id, token };
}

/** The id of a message that was taken; a server may give none. */
export function parseAccepted(body: unknown): string | undefined {
  const { message_id: id } = rawOf(body);
  return typeof id === 'string' ? id : undefined;
}

export function parseTicket(body: unknown): Ticket {
  const { status, messages, trust, rating, can_rate, asked } = rawOf(body);
  if (!isOneOf(STATUSES, status) || !Array.isArray(messages)) throw new Failure('unexpected');
  return {
    status,
    messages: messages.map(messageOf).filter((message) => message !== undefined),
    trust: isOneOf(TRUSTS, trust) ? trust : undefined,
    rating: scoreOf(rawOf(rating).score),
    canRate: can_rate === true,
    asked: asked === true,
  };
}

function messageOf(value: unknown): ThreadMessage | undefined {
  const { id, author, text, at, attachments } = rawOf(value);
  if (!isOneOf(AUTHORS, author) || typeof text !== 'string' || typeof at !== 'string')
    return undefined;
  const files = Array.isArray(attachments) ? attachments.map(attachmentOf) : [];
  return {
    id: typeof id === 'string' ? id : undefined,
    author,
    text,
    at,
    attachments: files.filter((file) => file !== undefined),
  };
}

function attachmentOf(value: unknown): Attachment | undefined {
  const { id, name, content_type: contentType, size } = rawOf(value);
  if (typeof name !== 'string') return undefined;
  return {
    id: typeof id === 'string' ? id : undefined,
    name,
    contentType: typeof contentType === 'string' ? contentType : '',
    size: typeof size === 'number' ? size : 0,
  };
}

export function scoreOf(value: unknown): Score | undefined {
  return SCORES.find((score) => score === value);
}
