import { CATEGORIES, type Draft, EMPTY_DRAFT, FIELDS, isOneOf, type TicketRef } from './ticket';

/** `session`: until the tab is closed. `device`: until the customer starts anew. */
export type Remember = 'session' | 'device';

/** A ticket that is open on this page, with the customer's own words until the server has them. */
export interface OpenTicket extends TicketRef {
  subject?: string;
  sent?: { text: string; at: string };
}

/** One attempt to send: the key belongs to exactly these contents. */
interface Attempt {
  key: string;
  contents: string;
}

type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** Storage is refused in some frames and private windows; the form works all the same. */
function storeOf(remember: Remember): Store | undefined {
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
  readonly #session: Store | undefined;
  readonly #tickets: Store | undefined;
  #attempt: Attempt | undefined;

  constructor(scope: string, remember: Remember = 'session') {
    this.#prefix = `support-form:${scope}:`;
    this.#session = storeOf('session');
    this.#tickets = storeOf(remember);
  }

  ticket(): OpenTicket | undefined {
    const found = this.#read(this.#tickets, 'ticket') as Partial<OpenTicket> | undefined;
    const valid = typeof found?.id === 'string' && typeof found.token === 'string';
    return valid ? (found as OpenTicket) : undefined;
  }

  keepTicket(ticket: OpenTicket | undefined): void {
    this.#write(this.#tickets, 'ticket', ticket);
  }

  draft(): Draft {
    const found = (this.#read(this.#session, 'draft') ?? {}) as Record<string, unknown>;
    const texts = FIELDS.filter((field) => typeof found[field] === 'string');
    const draft: Draft = { ...EMPTY_DRAFT };
    for (const field of texts) Object.assign(draft, { [field]: found[field] });
    return isOneOf(CATEGORIES, draft.category) ? draft : { ...draft, category: 'general' };
  }

  keepDraft(draft: Draft): void {
    this.#write(this.#session, 'draft', draft);
  }

  /** The same contents get the same key until they were accepted, over reloads too. */
  keyFor(contents: string): string {
    const last = this.#attempt ?? (this.#read(this.#session, 'attempt') as Attempt | undefined);
    const attempt = last?.contents === contents ? last : { key: newKey(), contents };
    this.#attempt = attempt;
    this.#write(this.#session, 'attempt', attempt);
    return attempt.key;
  }

  forgetKey(): void {
    this.#attempt = undefined;
    this.#write(this.#session, 'attempt', undefined);
  }

  #read(store: Store | undefined, name: string): unknown {
    try {
      return JSON.parse(store?.getItem(this.#prefix + name) ?? 'null') ?? undefined;
    } catch {
      return undefined;
    }
  }

  #write(store: Store | undefined, name: string, value: unknown): void {
    try {
      if (value === undefined) store?.removeItem(this.#prefix + name);
      else store?.setItem(this.#prefix + name, JSON.stringify(value));
    } catch {
      // A full or refused store costs the reload, not the message.
    }
  }
}
