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
 * @typedef {{ author: 'customer' | 'agent' | 'human', text: string, at: string }} Message
 * @typedef {{ id: string, token: string, status: string, messages: Message[], seen: number }} Ticket
 * @typedef {{ status?: number, headers?: Record<string, string>, body?: object, lost?: boolean }} Fault
 *   `lost`: the ticket is made, and the answer about it never arrives.
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
  /** @type {Fault[]} what the next POSTs meet */
  faults = [];
  /** @type {{ method: string, path: string, key: string | undefined, body: any }[]} */
  requests = [];
  /** @type {(ticket: Ticket) => void} called when a ticket is made */
  onTicket = () => {};
  /** @type {Record<string, string>} pages of other sites, by path */
  pages = {};
  url = '';

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

  /** @param {Ticket} ticket @param {Message['author']} author @param {string} text */
  say(ticket, author, text) {
    ticket.messages.push({ author, text, at: new Date().toISOString() });
  }

  /** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
  async #serve(request, response) {
    const { pathname } = new URL(request.url ?? '/', 'http://fake');
    const body = await readJson(request);
    const method = request.method ?? 'GET';
    const key = /** @type {string | undefined} */ (request.headers['idempotency-key']);
    if (pathname.startsWith('/tickets')) this.requests.push({ method, path: pathname, key, body });
    if (method === 'OPTIONS') return reply(response, 204);
    if (method === 'POST' && pathname === '/tickets') return this.#create(response, key, body);
    if (pathname.startsWith('/tickets/')) return this.#read(response, pathname.slice(9), request);
    return this.#file(response, pathname);
  }

  /** @param {import('node:http').ServerResponse} response @param {string | undefined} key @param {any} body */
  #create(response, key, body) {
    const fault = this.faults.shift();
    if (fault && !fault.lost)
      return reply(response, fault.status ?? 500, fault.body, fault.headers);
    const ticket = this.#ticketFor(key ?? randomUUID(), body);
    if (fault?.lost) return response.destroy();
    return reply(response, 202, { ticket_id: ticket.id, token: ticket.token });
  }

  /** @param {string} key @param {any} body @returns {Ticket} */
  #ticketFor(key, body) {
    const known = this.tickets.get(key);
    if (known) return known;
    const id = `t-${this.tickets.size + 1}`;
    const ticket = { id, token: randomUUID(), status: 'received', messages: [], seen: 0 };
    this.say(ticket, 'customer', body.message);
    this.tickets.set(key, ticket);
    this.onTicket(ticket);
    return ticket;
  }

  /** @param {import('node:http').ServerResponse} response @param {string} id @param {import('node:http').IncomingMessage} request */
  #read(response, id, request) {
    const ticket = [...this.tickets.values()].find((known) => known.id === decodeURIComponent(id));
    if (!ticket || request.headers.authorization !== `Bearer ${ticket.token}`) {
      const error = { reason: 'not_found', field: null, message: 'No such ticket.' };
      return reply(response, 404, { error });
    }
    ticket.seen += 1;
    return reply(response, 200, { status: ticket.status, messages: ticket.messages });
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

/** @param {import('node:http').IncomingMessage} request */
async function readJson(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text === '' ? undefined : JSON.parse(text);
}

/**
 * @param {import('node:http').ServerResponse} response @param {number} status
 * @param {object | string} [body] @param {Record<string, string>} [headers]
 */
function reply(response, status, body, headers = {}) {
  response.writeHead(status, { 'Content-Type': 'application/json', ...CORS, ...headers });
  response.end(typeof body === 'object' ? JSON.stringify(body) : body);
}

const ANSWER = `Hello,

You can reset your password from the sign-in page: choose "Forgot password?" and follow the link we mail you. It is valid for one hour.

More in our help centre: https://help.example.com/account/passwords (second section).

Is there anything else we can do for you?`;

/** @param {FakeApi} api @param {Ticket} ticket */
function behave(api, ticket) {
  const person = /refund/i.test(ticket.messages[0]?.text ?? '');
  setTimeout(() => {
    ticket.status = 'open';
  }, 800);
  setTimeout(() => {
    ticket.status = person ? 'escalated' : 'answered';
    api.say(ticket, 'agent', person ? 'I am passing this on to a colleague.' : ANSWER);
  }, 3_500);
  if (person) {
    setTimeout(() => api.say(ticket, 'human', 'Hello, this is Maya. I am looking at it.'), 12_000);
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const api = await new FakeApi().start(Number(process.env.PORT ?? 8787));
  api.onTicket = (ticket) => behave(api, ticket);
  console.log(`The fake ticket API listens on ${api.url}`);
}
