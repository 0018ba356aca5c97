import {
  CATEGORIES,
  type Draft,
  EMPTY_DRAFT,
  FIELDS,
  isOneOf,
  type TicketRef,
  type Trust,
} from './ticket';

/** `session`: until the tab is closed. `device`: until the customer starts anew. */
export type Remember = 'session' | 'device';

/** A ticket that is open on this page, with the customer's own words until the server has them. */
export interface OpenTicket extends TicketRef {
  subject?: string;
  sent?: { text: string; at: string };
  trust?: Trust | undefined;
  /** It was opened by its link, such as the one in the mail that confirms the address. */
  linked?: boolean;
}

/** One attempt to send: the key belongs to exactly these contents. */
interface Attempt {
  key: string;
  contents: string;
  /** Since when (epoch ms) it is on its way without an answer. */
  since?: number;
}

/** What was under way when the page went is sent by itself when it is back this soon. */
const STILL_MEANT_MS = 30 * 60_000;

/** Who is not signed in on the site around. */
export const NOBODY = '';

/** Storage is refused in some frames and private windows; the form works all the same. */
function storeOf(remember: Remember): Storage | undefined {
  try {
    return remember === 'device' ? window.localStorage : window.sessionStorage;
  } catch {
    return undefined;
  }
}

/** `randomUUID` exists on secure origins alone, and a form may stand on plain http. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What one page remembers across a reload, apart for every API it may talk to. */
export class Memory {
  readonly #prefix: string;
  readonly #session: Storage | undefined;
  readonly #tickets: Storage | undefined;
  /** By what they are for; also here, for a page without a store. */
  readonly #attempts = new Map<string, Attempt>();

  constructor(scope: string, remember: Remember = 'session') {
    this.#prefix = `support-form:${scope}:`;
    this.#session = storeOf('session');
    this.#tickets = storeOf(remember);
  }

  /** Whether there is nothing of which it matters whose it is. */
  isEmpty(): boolean {
    const kept = [this.#read(this.#session, 'draft'), this.#attemptFor('attempt')];
    return this.ticket() === undefined && kept.every((one) => one === undefined);
  }

  /** Forgets all that somebody else left on this device; `owner` is a hash, or NOBODY. */
  belongTo(owner: string): void {
    for (const store of [this.#session, this.#tickets]) {
      if ((this.#read(store, 'owner') ?? NOBODY) === owner) continue;
      this.#empty(store);
      this.#attempts.clear();
    }
    this.adopt(owner);
  }

  /** What is remembered is of `owner`, who turned out to be the one writing. */
  adopt(owner: string): void {
    for (const store of [this.#session, this.#tickets])
      this.#write(store, 'owner', owner === NOBODY ? undefined : owner);
  }

  ticket(): OpenTicket | undefined {
    return this.#ticketAt('ticket');
  }

  /** The conversation that was open before a link opened another. */
  former(): OpenTicket | undefined {
    return this.#ticketAt('former');
  }

  keepFormer(ticket: OpenTicket | undefined): void {
    this.#write(this.#tickets, 'former', ticket);
  }

  #ticketAt(name: string): OpenTicket | undefined {
    const found = this.#read(this.#tickets, name) as Partial<OpenTicket> | undefined;
    const valid = typeof found?.id === 'string' && typeof found.token === 'string';
    return valid ? (found as OpenTicket) : undefined;
  }

  keepTicket(ticket: OpenTicket | undefined): void {
    this.#write(this.#tickets, 'ticket', ticket);
  }

  /** What was typed; where nothing was, what the embedding site gave. */
  draft(preset: Partial<Draft> = {}): Draft {
    const found = (this.#read(this.#session, 'draft') ?? {}) as Record<string, unknown>;
    const draft: Draft = { ...EMPTY_DRAFT, ...preset };
    for (const field of FIELDS) {
      const typed = found[field];
      if (typeof typed === 'string' && typed !== '') Object.assign(draft, { [field]: typed });
    }
    return isOneOf(CATEGORIES, draft.category) ? draft : { ...draft, category: 'general' };
  }

  keepDraft(draft: Draft): void {
    this.#write(this.#session, 'draft', draft);
  }

  /** The words of an answer that is being written in a ticket's thread. */
  reply(ticketId: string): string {
    const found = this.#read(this.#session, `reply:${ticketId}`);
    return typeof found === 'string' ? found : '';
  }

  keepReply(ticketId: string, text: string): void {
    this.#write(this.#session, `reply:${ticketId}`, text === '' ? undefined : text);
  }

  /** The names of the files that were chosen; no store keeps the files themselves. */
  fileNames(purpose: string): string[] {
    const found = this.#read(this.#session, `files:${purpose}`);
    return Array.isArray(found) ? found.filter((name) => typeof name === 'string') : [];
  }

  keepFileNames(purpose: string, files: readonly File[]): void {
    const names = files.length > 0 ? files.map(({ name }) => name) : undefined;
    this.#write(this.#session, `files:${purpose}`, names);
  }

  /** When (epoch ms) the form was first seen, over reloads. */
  opened(): number {
    const found = this.#read(this.#session, 'opened');
    if (typeof found === 'number' && found <= Date.now()) return found;
    const now = Date.now();
    this.#write(this.#session, 'opened', now);
    return now;
  }

  /** The same contents get the same key until they were accepted, over reloads too. */
  keyFor(contents: string, purpose = 'attempt'): string {
    const last = this.#attemptFor(purpose);
    const attempt = last?.contents === contents ? last : { key: newKey(), contents };
    this.#keepAttempt(purpose, attempt);
    return attempt.key;
  }

  forgetKey(purpose = 'attempt'): void {
    this.#keepAttempt(purpose, undefined);
  }

  /** Notes that the attempt of these contents is on its way, or no more. */
  markUnderWay(underWay: boolean, purpose = 'attempt'): void {
    const last = this.#attemptFor(purpose);
    if (last === undefined) return;
    const { key, contents } = last;
    const since = underWay ? { since: Date.now() } : {};
    this.#keepAttempt(purpose, { key, contents, ...since });
  }

  /** Whether exactly these contents were under way when the page went, and are still meant. */
  wasUnderWay(contents: string, purpose = 'attempt'): boolean {
    const last = this.#attemptFor(purpose);
    const since = last?.contents === contents ? last.since : undefined;
    return since !== undefined && Date.now() - since < STILL_MEANT_MS;
  }

  #attemptFor(purpose: string): Attempt | undefined {
    const stored = this.#read(this.#session, purpose) as Attempt | undefined;
    return this.#attempts.get(purpose) ?? stored;
  }

  #keepAttempt(purpose: string, attempt: Attempt | undefined): void {
    if (attempt === undefined) this.#attempts.delete(purpose);
    else this.#attempts.set(purpose, attempt);
    this.#write(this.#session, purpose, attempt);
  }

  #read(store: Storage | undefined, name: string): unknown {
    try {
      return JSON.parse(store?.getItem(this.#prefix + name) ?? 'null') ?? undefined;
    } catch {
      return undefined;
    }
  }

  #empty(store: Storage | undefined): void {
    const names = store === undefined ? [] : Object.keys(store);
    for (const name of names) if (name.startsWith(this.#prefix)) store?.removeItem(name);
  }

  #write(store: Storage | undefined, name: string, value: unknown): void {
    try {
      if (value === undefined) store?.removeItem(this.#prefix + name);
      else store?.setItem(this.#prefix + name, JSON.stringify(value));
    } catch {
      // A full or refused store costs the reload, not the message.
    }
  }
}
