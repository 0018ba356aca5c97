import { type Config, parseConfig } from './config';
import { Failure, failureOf, networkFailure } from './failure';
import { type Created, parseAccepted, parseCreated, parseTicket } from './parse';
import type { Draft, Extras, Score, Ticket, TicketRef } from './ticket';
import { upload } from './upload';

const SEND_TIMEOUT_MS = 20_000;
const READ_TIMEOUT_MS = 10_000;

/** What a customer adds to a thread. */
export interface Reply {
  text: string;
  files: readonly File[];
}

/** Every method throws Failure. The same idempotency key twice is one ticket, or one message. */
export interface TicketApi {
  config(): Promise<Config>;
  create(draft: Draft, extras: Extras, idempotencyKey: string): Promise<Created>;
  read(ref: TicketRef): Promise<Ticket>;
  /** Returns the new message's id. `onProgress` hears shares from 0 to 1 while files are sent. */
  reply(
    ref: TicketRef,
    reply: Reply,
    idempotencyKey: string,
    onProgress: (share: number) => void,
  ): Promise<string | undefined>;
  rate(ref: TicketRef, score: Score, comment: string): Promise<void>;
  download(ref: TicketRef, attachmentId: string): Promise<Blob>;
}

/** `base` is the address in front of `/tickets`, with or without a slash at its end. */
export function ticketApi(base: string): TicketApi {
  const root = base.replace(/\/+$/, '');
  const of = (ref: TicketRef, rest = '') => `${root}/tickets/${encodeURIComponent(ref.id)}${rest}`;
  return {
    config: async () => parseConfig(await read(`${root}/config`, {}).catch(() => undefined)),
    async create(draft, extras, key) {
      const body = { ...payloadOf(draft), ...extras };
      return parseCreated(await post(`${root}/tickets`, { 'Idempotency-Key': key }, body));
    },
    read: async (ref) => parseTicket(await read(of(ref), bearer(ref))),
    async reply(ref, { text, files }, key, onProgress) {
      const headers = { ...bearer(ref), 'Idempotency-Key': key };
      if (files.length > 0) {
        const form = formOf(text, files);
        return parseAccepted(await upload(of(ref, '/attachments'), headers, form, onProgress));
      }
      return parseAccepted(await post(of(ref, '/messages'), headers, { message: text }));
    },
    async rate(ref, score, comment) {
      const body = comment === '' ? { score } : { score, comment };
      await post(of(ref, '/rating'), bearer(ref), body);
    },
    async download(ref, id) {
      const address = of(ref, `/attachments/${encodeURIComponent(id)}`);
      const blob = (answer: Response) => answer.blob();
      return request(address, { headers: bearer(ref) }, SEND_TIMEOUT_MS, blob);
    },
  };
}

const bearer = ({ token }: TicketRef) => ({ Authorization: `Bearer ${token}` });

/** What is sent for a draft: trimmed, and without a phone that was not given. */
export function payloadOf(draft: Draft): Record<string, string> {
  const { phone, ...rest } = draft;
  const trimmed = Object.entries(rest).map(([field, value]) => [field, value.trim()] as const);
  return { ...Object.fromEntries(trimmed), ...(phone.trim() && { phone: phone.trim() }) };
}

function formOf(text: string, files: readonly File[]): FormData {
  const form = new FormData();
  if (text !== '') form.append('message', text);
  for (const file of files) form.append('file', file, file.name);
  return form;
}

const json = (answer: Response): Promise<unknown> => answer.json().catch(() => undefined);

function read(url: string, headers: Record<string, string>): Promise<unknown> {
  return request(url, { headers }, READ_TIMEOUT_MS, json);
}

function post(url: string, more: Record<string, string>, body: object): Promise<unknown> {
  const headers = { 'Content-Type': 'application/json', ...more };
  const init = { method: 'POST', headers, body: JSON.stringify(body) };
  return request(url, init, SEND_TIMEOUT_MS, json);
}

async function request<T>(
  url: string,
  init: RequestInit,
  timeoutMs: number,
  contentOf: (answer: Response) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeoutMs);
  try {
    const answer = await fetch(url, {
      ...init,
      credentials: 'omit',
      cache: 'no-store',
      signal: abort.signal,
    });
    if (!answer.ok) throw failureOf(answer, await json(answer));
    return await contentOf(answer);
  } catch (error) {
    throw error instanceof Failure ? error : networkFailure();
  } finally {
    clearTimeout(timer);
  }
}
