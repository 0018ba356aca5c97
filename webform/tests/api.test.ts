import { beforeEach, describe, expect, it } from 'vitest';
import { ticketApi } from '../src/api';
import { DEFAULTS, parseConfig } from '../src/config';
import { parseTicket } from '../src/parse';
import { json, refused, Wire } from './wire';

const REF = { id: 't/1', token: 'secret' };
const silent = () => {};
let wire: Wire;
const api = ticketApi('https://support.example.com/');

beforeEach(() => {
  wire = new Wire();
});

describe('the API', () => {
  it('takes a reply as JSON, with token and key', async () => {
    wire.posts.push(() => json(202, { message_id: 'm-2' }));
    const id = await api.reply(REF, { text: 'More', files: [] }, 'k', silent);
    expect(id).toBe('m-2');
    const sent = wire.created[0];
    expect(sent?.url).toBe('https://support.example.com/tickets/t%2F1/messages');
    expect(sent?.headers.get('Authorization')).toBe('Bearer secret');
    expect(sent?.headers.get('Idempotency-Key')).toBe('k');
    expect(sent?.body).toEqual({ message: 'More' });
  });

  it('takes a rating, with its comment only if there is one', async () => {
    wire.posts.push(() => new Response(null, { status: 204 }));
    await api.rate(REF, 4, '');
    wire.posts.push(() => new Response(null, { status: 204 }));
    await api.rate(REF, 2, 'Too long');
    expect(wire.created.map(({ body }) => body)).toEqual([
      { score: 4 },
      { score: 2, comment: 'Too long' },
    ]);
    expect(wire.created[0]?.url).toMatch(/\/tickets\/t%2F1\/rating$/);
  });

  it('gives an attachment’s bytes against the token', async () => {
    wire.get = () => new Response('bytes');
    const blob = await api.download(REF, 'a 1');
    expect(await blob.text()).toBe('bytes');
    expect(wire.reads[0]?.url).toMatch(/\/tickets\/t%2F1\/attachments\/a%201$/);
    expect(wire.reads[0]?.headers.get('Authorization')).toBe('Bearer secret');
  });

  it('fails a download as it fails everything', async () => {
    wire.get = refused(503);
    await expect(api.download(REF, 'a')).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

describe('what a page reads', () => {
  it('has defaults for a server without /config, and for what one leaves out', async () => {
    expect(await api.config()).toEqual(DEFAULTS);
    wire.config = () => json(200, { max_files: 2, min_ms: 'soon' });
    expect(await api.config()).toEqual({ ...DEFAULTS, maxFiles: 2 });
    expect(parseConfig({ challenge: { kind: 'proof', site_key: 'k' } }).challenge).toEqual({
      kind: 'proof',
      site_key: 'k',
    });
    expect(parseConfig({ challenge: 'yes' }).challenge).toBeNull();
  });

  it('is lenient about what a ticket may lack', () => {
    const message = { author: 'agent', text: 'Hello', at: 'x' };
    const odd = [{ id: 7 }, null, { id: 'a', name: 'b.txt' }, { id: null, name: 'c' }];
    const read = parseTicket({
      status: 'answered',
      messages: [message, { ...message, id: 'm', attachments: odd }],
      trust: 'perhaps',
      rating: { score: 9 },
    });
    expect(read.trust).toBeUndefined();
    expect(read.rating).toBeUndefined();
    expect(read.canRate).toBe(false);
    expect(read.messages.map(({ attachments }) => attachments)).toEqual([
      [],
      [
        { id: 'a', name: 'b.txt', contentType: '', size: 0 },
        { id: undefined, name: 'c', contentType: '', size: 0 },
      ],
    ]);
  });

  it('knows trust and rating where they are told', () => {
    const told = { status: 'closed', messages: [], trust: 'verified', can_rate: true, asked: true };
    expect(parseTicket({ ...told, rating: { score: 5 } })).toMatchObject({
      trust: 'verified',
      rating: 5,
      canRate: true,
      asked: true,
    });
    expect(parseTicket({ ...told, rating: null }).rating).toBeUndefined();
  });
});
