import { vi } from 'vitest';
import type { Author, TicketStatus } from '../src/ticket';

export interface Sent {
  method: string;
  url: string;
  headers: Headers;
  body: Record<string, unknown> | undefined;
}

type Answer = () => Response | Promise<Response>;

/** Stands where the network is: records what is sent and answers as told. */
export class Wire {
  readonly sent: Sent[] = [];
  /** What the next POSTs meet; after them each is accepted. */
  readonly posts: Answer[] = [];
  /** What every GET meets. */
  get: Answer = () => thread('received');
  /** What `GET /config` meets; a server of before it has none. */
  config: Answer = () => json(404, {});
  configsAsked = 0;

  constructor() {
    const answer = (url: string, init: RequestInit = {}) => this.#answer(url, init);
    vi.stubGlobal('fetch', answer);
    vi.stubGlobal('XMLHttpRequest', uploading(answer));
  }

  get keys(): (string | null)[] {
    return this.created.map(({ headers }) => headers.get('Idempotency-Key'));
  }

  get created(): Sent[] {
    return this.sent.filter(({ method }) => method === 'POST');
  }

  get reads(): Sent[] {
    return this.sent.filter(({ method }) => method === 'GET');
  }

  async #answer(url: string, init: RequestInit): Promise<Response> {
    if (url.endsWith('/config')) {
      this.configsAsked += 1;
      return this.config();
    }
    const method = init.method ?? 'GET';
    const body = typeof init.body === 'string' ? JSON.parse(init.body) : formOf(init.body);
    this.sent.push({ method, url, headers: new Headers(init.headers), body });
    return method === 'POST' ? (this.posts.shift() ?? accepted)() : this.get();
  }
}

/** What of XMLHttpRequest an upload uses, on the same wire as fetch. */
function uploading(answer: (url: string, init: RequestInit) => Promise<Response>) {
  return class {
    status = 0;
    responseText = '';
    upload: { onprogress?: (event: object) => void } = {};
    onloadend = () => {};
    readonly #headers = new Headers();
    #url = '';
    #answered: Response | undefined;
    open(_method: string, url: string) {
      this.#url = url;
    }
    setRequestHeader(name: string, value: string) {
      this.#headers.set(name, value);
    }
    getResponseHeader(name: string) {
      return this.#answered?.headers.get(name) ?? null;
    }
    abort() {
      this.onloadend();
    }
    async send(body: FormData) {
      this.upload.onprogress?.({ loaded: 1, total: 2 });
      try {
        const init = { method: 'POST', headers: this.#headers, body };
        this.#answered = await answer(this.#url, init);
        this.responseText = await this.#answered.text();
        this.status = this.#answered.status;
      } catch {
        this.status = 0;
      }
      this.onloadend();
    }
  };
}

/** A form as its words and the names of its files. */
function formOf(body: unknown): Record<string, unknown> | undefined {
  if (!(body instanceof FormData)) return undefined;
  const message = body.get('message');
  const files = body.getAll('file').map((file) => (file as File).name);
  return { ...(message && { message }), files };
}

export const accepted: Answer = () => json(202, { ticket_id: 't-1', token: 'secret' });

export const noNetwork: Answer = () => Promise.reject(new TypeError('Failed to fetch'));

export function refused(status: number, field: string | null = null, headers = {}): Answer {
  const error = { reason: 'refused', field, message: 'The server does not like it.' };
  return () => json(status, { error }, headers);
}

/** A refusal of the page itself: its reason and the place it is about. */
export function refusedFor(status: number, reason: string, field: string, headers = {}): Answer {
  return () => json(status, { error: { reason, field, message: 'Refused.' } }, headers);
}

type Said = readonly [Author, string, { id?: string; attachments?: object[] }?];

export function ticket(shape: {
  status: TicketStatus;
  messages: readonly Said[];
  trust?: string;
  rating?: object | null;
  can_rate?: boolean;
  asked?: boolean;
}): Response {
  const at = '2026-11-02T09:30:00Z';
  const messages = shape.messages.map(([author, text, more = {}]) => ({
    author,
    text,
    at,
    ...more,
  }));
  return json(200, { rating: null, can_rate: false, ...shape, messages });
}

export function thread(status: TicketStatus, ...messages: [Author, string][]): Response {
  const at = '2026-11-02T09:30:00Z';
  return json(200, { status, messages: messages.map(([author, text]) => ({ author, text, at })) });
}

export function json(status: number, body: object, headers = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}
