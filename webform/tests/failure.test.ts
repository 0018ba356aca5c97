import { describe, expect, it } from 'vitest';
import { failureOf, retryAfter } from '../src/failure';

describe('what an answer that is not 2xx means', () => {
  it('reads Retry-After as seconds or as a date', () => {
    const now = Date.parse('2026-11-02T09:30:00Z');
    expect(retryAfter('12', now)).toBe(12_000);
    expect(retryAfter('Mon, 02 Nov 2026 09:30:30 GMT', now)).toBe(30_000);
    expect(retryAfter('Mon, 02 Nov 2026 09:00:00 GMT', now)).toBe(0);
    expect(retryAfter('soon', now)).toBeUndefined();
    expect(retryAfter(null, now)).toBeUndefined();
  });

  it('takes a 404 of the API for the truth and one of a gateway for a hiccup', () => {
    const answer = new Response('', { status: 404 });
    expect(failureOf(answer, { error: { reason: 'not_found' } }).kind).toBe('not_found');
    expect(failureOf(answer, undefined).kind).toBe('unavailable');
  });

  it('names a field only when the form has it', () => {
    const answer = new Response('', { status: 422 });
    expect(failureOf(answer, { error: { field: 'email' } }).field).toBe('email');
    expect(failureOf(answer, { error: { field: '__proto__' } }).field).toBeUndefined();
  });

  it.each([
    [400, 'refused'],
    [413, 'too_large'],
    [422, 'refused'],
    [429, 'rate_limited'],
    [500, 'unavailable'],
    [503, 'unavailable'],
  ])('makes of %i: %s', (status, kind) => {
    expect(failureOf(new Response('', { status }), undefined).kind).toBe(kind);
  });

  it.each([
    [422, 'trap', null, 'trapped'],
    [400, 'refused', 'page.trap', 'trapped'],
    [429, 'too_fast', null, 'too_fast'],
    [422, 'invalid', 'page.opened_ms', 'too_fast'],
    [403, 'challenge_failed', null, 'challenged'],
    [401, 'identity_expired', null, 'identity'],
    [409, 'conflict', null, 'closed'],
    [503, 'identity', null, 'unavailable'],
    [422, 'invalid', 'subject', 'refused'],
  ])('makes of %i %s about %s: %s', (status, reason, field, kind) => {
    const answer = new Response('', { status });
    expect(failureOf(answer, { error: { reason, field, message: '' } }).kind).toBe(kind);
  });
});
