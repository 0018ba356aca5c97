import { Failure, failureOf, networkFailure } from './failure';
import {
  AUTHORS,
  type Draft,
  isOneOf,
  STATUSES,
  type ThreadMessage,
  type Ticket,
  type TicketRef,
} from './ticket';

const SEND_TIMEOUT_MS = 20_000;
const READ_TIMEOUT_MS = 10_000;

export interface TicketApi {
  /** Opens a ticket; the same key twice is one ticket. Throws Failure. */
  create(draft: Draft, idempotencyKey: string): Promise<TicketRef>;
  /** Reads a ticket's status and thread. Throws Failure. */
  read(ref: TicketRef): Promise<Ticket>;
}

/** `base` is the address in front of `/tickets`, with or without a slash at its end. */
export function ticketApi(base: string): TicketApi {
  const url = `${base.replace(/\/+$/, '')}/tickets`;
  return {
    async create(draft, idempotencyKey) {
      const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey };
      const body = JSON.stringify(payloadOf(draft));
      return parseCreated(await request(url, { method: 'POST', headers, body }, SEND_TIMEOUT_MS));
    },
    async read(ref) {
      const headers = { Authorization: `Bearer ${ref.token}` };
      const address = `${url}/${encodeURIComponent(ref.id)}`;
      return parseTicket(await request(address, { headers }, READ_TIMEOUT_MS));
    },
  };
}

/** What is sent for a draft: trimmed, and without a phone that was not given. */
export function payloadOf(draft: Draft): Record<string, string> {
  const { phone, ...rest } = draft;
  const trimmed = Object.entries(rest).map(([field, value]) => [field, value.trim()] as const);
  return { ...Object.fromEntries(trimmed), ...(phone.trim() && { phone: phone.trim() }) };
}

async function request(url: string, init: RequestInit, timeoutMs: number): Promise<unknown> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeoutMs);
  try {
    const response = await fetch(url, {
      ...init,
      credentials: 'omit',
      cache: 'no-store',
      signal: abort.signal,
    });
    const body: unknown = await response.json().catch(() => undefined);
    if (!response.ok) throw failureOf(response, body);
    return body;
  } catch (error) {
    throw error instanceof Failure ? error : networkFailure();
  } finally {
    clearTimeout(timer);
  }
}

function parseCreated(body: unknown): TicketRef {
  const { ticket_id: id, token } = (body ?? {}) as { ticket_id?: unknown; token?: unknown };
  if (typeof id !== 'string' || typeof token !== 'string') throw new Failure('unexpected');
  return { id, token };
}

function parseTicket(body: unknown): Ticket {
  const { status, messages } = (body ?? {}) as { status?: unknown; messages?: unknown };
  if (!isOneOf(STATUSES, status) || !Array.isArray(messages)) throw new Failure('unexpected');
  return { status, messages: messages.filter(isMessage) };
}

function isMessage(value: unknown): value is ThreadMessage {
  const { author, text, at } = (value ?? {}) as Partial<Record<keyof ThreadMessage, unknown>>;
  return isOneOf(AUTHORS, author) && typeof text === 'string' && typeof at === 'string';
}
