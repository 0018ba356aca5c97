import { describe, expect, it, vi } from 'vitest';
import { Memory } from '../src/memory';
import { EMPTY_DRAFT } from '../src/ticket';

describe('what a page remembers', () => {
  it('gives the same contents the same key, also after a reload', () => {
    const key = new Memory('a').keyFor('hello');
    expect(new Memory('a').keyFor('hello')).toBe(key);
    expect(key).toMatch(/^[0-9a-f]{32}$/);
  });

  it('gives other contents, and a message already accepted, a new key', () => {
    const memory = new Memory('a');
    const first = memory.keyFor('hello');
    const second = memory.keyFor('hello!');
    memory.forgetKey();
    expect(new Set([first, second, memory.keyFor('hello!')]).size).toBe(3);
  });

  it('keeps what belongs to one API from another', () => {
    new Memory('a').keepTicket({ id: 't-1', token: 'secret' });
    expect(new Memory('b').ticket()).toBeUndefined();
  });

  it('knows what was under way, as long as it is still meant', () => {
    vi.useFakeTimers({ now: 0 });
    const memory = new Memory('a');
    memory.keyFor('hello');
    expect(new Memory('a').wasUnderWay('hello')).toBe(false);
    memory.markUnderWay(true);
    expect(new Memory('a').wasUnderWay('hello')).toBe(true);
    expect(new Memory('a').wasUnderWay('hello!')).toBe(false);
    vi.setSystemTime(31 * 60_000);
    expect(new Memory('a').wasUnderWay('hello')).toBe(false);
    memory.markUnderWay(false);
    expect(new Memory('a').keyFor('hello')).toBe(memory.keyFor('hello'));
    vi.useRealTimers();
  });

  it('keeps the key of one purpose from another', () => {
    const memory = new Memory('a');
    const first = memory.keyFor('hello');
    expect(memory.keyFor('hello', 'reply')).not.toBe(first);
    memory.forgetKey('reply');
    expect(memory.keyFor('hello')).toBe(first);
  });

  it('keeps words of an answer apart for each ticket, and forgets them when they are gone', () => {
    const memory = new Memory('a');
    memory.keepReply('t-1', 'Half');
    expect(new Memory('a').reply('t-1')).toBe('Half');
    expect(new Memory('a').reply('t-2')).toBe('');
    memory.keepReply('t-1', '');
    expect(sessionStorage).toHaveLength(0);
  });

  it('leaves nothing on the device unless it is told to', () => {
    new Memory('a').keepTicket({ id: 't-1', token: 'secret' });
    expect(localStorage).toHaveLength(0);
    new Memory('a', 'device').keepTicket({ id: 't-1', token: 'secret' });
    expect(localStorage).toHaveLength(1);
  });

  it('ignores what is broken in the store', () => {
    sessionStorage.setItem('support-form:a:ticket', '{"id": 7}');
    sessionStorage.setItem('support-form:a:draft', '{"category": "spam", "name": "Ada", "x": 1}');
    expect(new Memory('a').ticket()).toBeUndefined();
    expect(new Memory('a').draft()).toEqual({ ...EMPTY_DRAFT, name: 'Ada' });
    sessionStorage.setItem('support-form:a:draft', 'not json');
    expect(new Memory('a').draft()).toEqual(EMPTY_DRAFT);
  });

  it('works without a store, where the browser refuses one', () => {
    const refusing = vi.spyOn(window, 'sessionStorage', 'get').mockImplementation(() => {
      throw new DOMException('denied', 'SecurityError');
    });
    const memory = new Memory('a');
    memory.keepDraft({ ...EMPTY_DRAFT, name: 'Ada' });
    expect(memory.draft()).toEqual(EMPTY_DRAFT);
    expect(memory.keyFor('hello')).toBe(memory.keyFor('hello'));
    refusing.mockRestore();
  });
});
