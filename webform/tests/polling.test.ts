import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Failure } from '../src/failure';
import { pollDelay, watchTicket } from '../src/polling';
import type { Ticket } from '../src/ticket';
import { holdTime, pass, setHidden, setOnline } from './page';

const RECEIVED: Ticket = { status: 'received', messages: [] };

function watch(read: () => Promise<Ticket>) {
  const watcher = { onTicket: vi.fn(), onFailure: vi.fn() };
  return { ...watcher, stop: watchTicket(read, watcher) };
}

/** Seconds, from the start, at which a question was asked. */
function clocked(answer: () => Ticket = () => RECEIVED) {
  const start = Date.now();
  const asked: number[] = [];
  const read = async () => {
    asked.push((Date.now() - start) / 1_000);
    return answer();
  };
  return { asked, read };
}

describe('asking for news', () => {
  beforeEach(holdTime);
  afterEach(() => vi.useRealTimers());

  it('waits 1 s at first, ever longer, and never more than 10 s', () => {
    const delays = Array.from({ length: 30 }, (_, attempt) => pollDelay(attempt));
    expect(delays[0]).toBe(1_000);
    expect(delays).toEqual([...delays].sort((a, b) => a - b));
    expect(delays.at(-1)).toBe(10_000);
  });

  it('asks often in the first seconds', async () => {
    const { asked, read } = clocked();
    const { stop } = watch(read);
    await pass(6_000);
    expect(asked).toEqual([0, 1, 2.25, 3.8125, 5.765_625].map((at) => expect.closeTo(at, 2)));
    stop();
  });

  it('asks nothing while the tab is hidden, and at once when it is seen again', async () => {
    const { asked, read } = clocked();
    const { stop } = watch(read);
    await pass();
    setHidden(true);
    await pass(600_000);
    expect(asked).toEqual([0]);
    setHidden(false);
    await pass(1_000);
    expect(asked).toEqual([0, 600, 601]);
    stop();
  });

  it('asks at once when the connection is back', async () => {
    const { asked, read } = clocked();
    const { stop } = watch(read);
    await pass(200_000);
    const before = asked.length;
    setOnline(true);
    await pass(1_000);
    expect(asked.length).toBe(before + 2);
    stop();
  });

  it('is quick again once the thread has moved', async () => {
    let ticket = RECEIVED;
    const { asked, read } = clocked(() => ticket);
    const { stop } = watch(read);
    await pass(100_000);
    const before = asked.length;
    ticket = { ...RECEIVED, status: 'escalated' };
    await pass(20_000);
    const [moved = 0, next] = asked.slice(before);
    expect(next).toBeCloseTo(moved + 1, 2);
    stop();
  });

  it('slows down after the answer and ends when the ticket is closed', async () => {
    const { asked, read } = clocked(() => ({ ...RECEIVED, status: 'answered' }));
    const { stop } = watch(read);
    await pass(60_000);
    expect(asked).toEqual([0, 30, 60]);
    stop();

    const closed = clocked(() => ({ ...RECEIVED, status: 'closed' }));
    watch(closed.read);
    await pass(60_000);
    expect(closed.asked).toEqual([0]);
  });

  it('goes on after a failure and keeps to Retry-After', async () => {
    const read = vi
      .fn<() => Promise<Ticket>>()
      .mockRejectedValueOnce(new Failure('rate_limited', { retryAfterMs: 20_000 }))
      .mockResolvedValue(RECEIVED);
    const { onTicket, onFailure, stop } = watch(read);
    await pass(19_000);
    expect(read).toHaveBeenCalledTimes(1);
    expect(onFailure).toHaveBeenCalledOnce();
    await pass(1_000);
    expect(onTicket).toHaveBeenCalledOnce();
    stop();
  });

  it('gives up on a ticket that does not exist', async () => {
    const read = vi.fn(() => Promise.reject(new Failure('not_found')));
    watch(read);
    await pass(60_000);
    expect(read).toHaveBeenCalledOnce();
  });

  it('says nothing more once it was stopped, not even an answer under way', async () => {
    let arrive = (_: Ticket) => {};
    const { onTicket, stop } = watch(() => new Promise((resolve) => (arrive = resolve)));
    stop();
    arrive(RECEIVED);
    await pass(60_000);
    expect(onTicket).not.toHaveBeenCalled();
  });
});
