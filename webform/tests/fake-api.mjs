/**
 * A small stand-in for the ticket API, spoken to over HTTP: it keeps tickets in memory, answers them
 * after a moment, and misbehaves when told to. It serves dist/ as well, as the real one does.
 *
 * By itself (`npm run fake-api`): a message with "refund" in it reaches a person, any other is answered.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

/**
 * @typedef {{ id: string, name: string, content_type: string, size: number }} Attachment
 * @typedef {{ id: string, author: 'customer' | 'agent' | 'human', text: string, at: string, attachments: Attachment[] }} Message
 * @typedef {{ id: string, token: string, status: string, trust: string, messages: Message[],
 *   rating: { score: number } | null, can_rate: boolean, seen: number }} Ticket
 * @typedef {{ status?: number, headers?: Record<string, string>, body?: object, lost?: boolean }} Fault
 *   `lost`: what was asked for is done, and the answer about it never arrives.
 * @typedef {{ method: string, path: string, key: string | undefined, body: any }} Asked
 */

const FILES = { '/': ['index.html', 'text/html'], '/widget.js': ['widget.js', 'text/javascript'] };
const CORS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Headers': 'Authorization, Content-Type, Idempotency-Key',
  'Access-Control-Expose-Headers': 'Retry-After',
};

export class FakeApi {
  /** @type {Map<string, Ticket>} by idempotency key */
  tickets = new Map();
  /** @type {Map<string, Buffer>} contents of attachments by their id */
  contents = new Map();
  /** @type {Fault[]} what the next POSTs meet */
  faults = [];
  /** @type {Asked[]} */
  requests = [];
  /** @type {(ticket: Ticket) => void} called when a ticket is made */
  onTicket = () => {};
  /** @type {(ticket: Ticket) => void} called when a customer adds to a thread */
  onReply = () => {};
  /** @type {object | undefined} what GET /config says; undefined: 404, as a server of before */
  config = { max_file_bytes: 10_000_000, max_files: 5, min_ms: 0, challenge: null };
  trust = 'claimed';
  /** What time it is for messages. */
  now = () => new Date();
  /** @type {Record<string, string>} pages of other sites, by path */
  pages = {};
  url = '';

  /** @type {Map<string, string>} ids of messages by idempotency key */
  #replies = new Map();
  #server = createServer((request, response) => void this.#serve(request, response));

  async start(port = 0) {
    await new Promise((resolve) => this.#server.listen(port, '127.0.0.1', () => resolve(null)));
    const address = /** @type {import('node:net').AddressInfo} */ (this.#server.address());
    this.url = `http://127.0.0.1:${address.port}`;
    return this;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Keys of the POSTs to a path's end, in order. @param {RegExp} path */
  keys(path) {
    const posts = this.requests.filter((asked) => asked.method === 'POST' && path.test(asked.path));
    return posts.map(({ key }) => key);
  }

  /**
   * @param {Ticket} ticket @param {Message['author']} author @param {string} text
   * @param {{ name: string, type: string, content: Buffer }[]} [files]
   */
  say(ticket, author, text, files = []) {
    const attachments = files.map(({ name, type, content }) => {
      const id = randomUUID();
      this.contents.set(id, content);
      return { id, name, content_type: type, size: content.length };
    });
    const id = randomUUID();
    ticket.messages.push({ id, author, text, at: this.now().toISOString(), attachments });
    return { id, attachments };
  }

  /** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
  async #serve(request, response) {
    const { pathname } = new URL(request.url ?? '/', 'http://fake');
    const body = await bodyOf(request);
    const method = request.method ?? 'GET';
    const key = /** @type {string | undefined} */ (request.headers['idempotency-key']);
    const asked = { method, path: pathname, key, body };
    if (pathname.startsWith('/tickets')) this.requests.push(asked);
    if (method === 'OPTIONS') return reply(response, 204);
    if (pathname === '/config') return reply(response, this.config ? 200 : 404, this.config);
    if (!pathname.startsWith('/tickets')) return this.#file(response, pathname);
    const fault = method === 'POST' ? this.faults.shift() : undefined;
    // A fault of nothing lets its request through: what is meant comes after it.
    if (fault?.status) return reply(response, fault.status, fault.body, fault.headers);
    const answer = this.#answer(asked, request.headers.authorization);
    if (fault?.lost) return response.destroy();
    return reply(response, ...answer);
  }

  /** @param {Asked} asked @param {string | undefined} proof @returns {[number, (object | Buffer)?, Record<string, string>?]} */
  #answer(asked, proof) {
    if (asked.path === '/tickets') {
      const { id, token, trust } = this.#ticketFor(asked.key ?? randomUUID(), asked.body);
      return [202, { ticket_id: id, token, trust }];
    }
    const [, , id = '', what = '', part = ''] = asked.path.split('/').map(decodeURIComponent);
    const ticket = [...this.tickets.values()].find((known) => known.id === id);
    if (!ticket || proof !== `Bearer ${ticket.token}`) return [404, notFound()];
    if (what === '') return [200, this.#seen(ticket)];
    if (what === 'rating') return this.#rate(ticket, asked.body);
    if (what === 'attachments' && asked.method === 'GET') return this.#content(ticket, part);
    return this.#add(ticket, asked);
  }

  /** @param {string} key @param {any} body @returns {Ticket} */
  #ticketFor(key, body) {
    const known = this.tickets.get(key);
    if (known) return known;
    /** @type {Ticket} */
    const ticket = {
      id: `t-${this.tickets.size + 1}`,
      token: randomUUID(),
      status: 'received',
      trust: body.identity ? 'verified' : this.trust,
      messages: [],
      rating: null,
      can_rate: false,
      seen: 0,
    };
    this.say(ticket, 'customer', body.message);
    this.tickets.set(key, ticket);
    this.onTicket(ticket);
    return ticket;
  }

  /** @param {Ticket} ticket */
  #seen(ticket) {
    ticket.seen += 1;
    const { status, trust, messages, rating, can_rate } = ticket;
    return { status, trust, messages, rating, can_rate };
  }

  /** @param {Ticket} ticket @param {Asked} asked @returns {[number, object]} */
  #add(ticket, { key = randomUUID(), body }) {
    const known = this.#replies.get(key);
    if (known) return [202, { message_id: known }];
    const { id, attachments } = this.say(ticket, 'customer', body.message ?? '', body.files);
    this.#replies.set(key, id);
    this.onReply(ticket);
    return [202, { message_id: id, attachments }];
  }

  /** @param {Ticket} ticket @param {any} body @returns {[number]} */
  #rate(ticket, { score }) {
    ticket.rating = { score };
    return [204];
  }

  /** @param {Ticket} ticket @param {string} id @returns {[number, (object | Buffer)?, Record<string, string>?]} */
  #content(ticket, id) {
    const attachment = ticket.messages
      .flatMap(({ attachments }) => attachments)
      .find((known) => known.id === id);
    if (!attachment) return [404, notFound()];
    return [
      200,
      this.contents.get(id) ?? Buffer.alloc(0),
      { 'Content-Type': attachment.content_type },
    ];
  }

  /** @param {import('node:http').ServerResponse} response @param {string} path */
  async #file(response, path) {
    const page = this.pages[path];
    if (page !== undefined) return reply(response, 200, page, { 'Content-Type': 'text/html' });
    const [name, type] = FILES[/** @type {keyof typeof FILES} */ (path)] ?? [];
    if (!name) return reply(response, 404);
    const content = await readFile(new URL(`../dist/${name}`, import.meta.url), 'utf8');
    return reply(response, 200, content, { 'Content-Type': `${type}; charset=utf-8` });
  }
}

const notFound = () => ({
  error: { reason: 'not_found', field: null, message: 'No such ticket.' },
});

/** JSON as it is; a multipart form as its message and its files. @param {import('node:http').IncomingMessage} request */
async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (bytes.length === 0) return undefined;
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/')) return JSON.parse(bytes.toString());
  const form = await new Response(bytes, { headers: { 'Content-Type': type } }).formData();
  const given = form.getAll('file').filter((value) => typeof value !== 'string');
  const files = given.map(async (file) => ({
    name: file.name,
    type: file.type,
    content: Buffer.from(await file.arrayBuffer()),
  }));
  return { message: form.get('message') ?? undefined, files: await Promise.all(files) };
}

/**
 * @param {import('node:http').ServerResponse} response @param {number} status
 * @param {object | string | Buffer} [body] @param {Record<string, string>} [headers]
 */
function reply(response, status, body, headers = {}) {
  response.writeHead(status, { 'Content-Type': 'application/json', ...CORS, ...headers });
  const asIs = typeof body === 'string' || Buffer.isBuffer(body) || body === undefined;
  response.end(asIs ? body : JSON.stringify(body));
}

const ANSWER = `Hello,

You can reset your password from the sign-in page: choose "Forgot password?" and follow the link we mail you. It is valid for one hour.

More in our help centre: https://help.example.com/account/passwords (second section).

Is there anything else we can do for you?`;

/** @param {FakeApi} api @param {Ticket} ticket */
function behave(api, ticket) {
  const person = /refund/i.test(ticket.messages.at(-1)?.text ?? '');
  setTimeout(() => {
    ticket.status = 'open';
  }, 800);
  setTimeout(() => {
    ticket.status = person ? 'escalated' : 'answered';
    ticket.can_rate = !person;
    api.say(ticket, 'agent', person ? 'I am passing this on to a colleague.' : ANSWER);
  }, 3_500);
  if (person) {
    setTimeout(() => api.say(ticket, 'human', 'Hello, this is Maya. I am looking at it.'), 12_000);
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const api = await new FakeApi().start(Number(process.env.PORT ?? 8787));
  api.onTicket = (ticket) => behave(api, ticket);
  api.onReply = (ticket) => behave(api, ticket);
  console.log(`The fake ticket API listens on ${api.url}`);
}
