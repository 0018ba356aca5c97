import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Failure } from '../src/failure';
import { Patience, type Pause } from '../src/patience';
import { holdTime, pass, setOnline } from './page';

beforeEach(() => {
  holdTime();
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  vi.useRealTimers();
});

/** Runs an attempt that meets these failures and then succeeds; tells when it tried, in seconds. */
function run(...failures: Failure[]) {
  const start = Date.now();
  const tries: number[] = [];
  const pauses: Pause[] = [];
  const patience = new Patience((pause) => pauses.push(pause));
  const attempt = async () => {
    tries.push((Date.now() - start) / 1_000);
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
    return 'done';
  };
  const outcome = patience.run(attempt).catch((error: Failure) => error.kind);
  return { patience, tries, pauses, outcome };
}

const hiccups = (count: number) => Array.from({ length: count }, () => new Failure('unavailable'));

describe('patience', () => {
  it('tries again ever less often, and says so from the third failure on', async () => {
    const { tries, pauses, outcome } = run(...hiccups(5));
    await pass(120_000);
    expect(tries).toEqual([0, 0.8, 2.8, 7.8, 22.8, 52.8].map((at) => expect.closeTo(at, 3)));
    expect(pauses).toHaveLength(3);
    expect(await outcome).toBe('done');
  });

  it('keeps to a time the server names, also when the connection comes back before', async () => {
    const { tries, pauses } = run(new Failure('rate_limited', { retryAfterMs: 45_000 }));
    await pass(1_000);
    expect(pauses[0]?.until).toBe(Date.now() + 44_000);
    setOnline(true);
    await pass(60_000);
    expect(tries).toEqual([0, 45]);
  });

  it('never asks sooner than its own pause, whatever the server names', async () => {
    const { tries } = run(new Failure('unavailable', { retryAfterMs: 0 }));
    await pass(10_000);
    expect(tries).toEqual([0, expect.closeTo(0.8, 3)]);
  });

  it('waits for the connection while offline and without an end', async () => {
    const { tries, pauses } = run(...Array.from({ length: 100 }, () => new Failure('offline')));
    await pass(25 * 60_000);
    expect(tries.length).toBeGreaterThan(40);
    expect(pauses[0]?.until).toBeUndefined();
    const before = tries.length;
    setOnline(true);
    await pass();
    expect(tries.length).toBe(before + 1);
  });

  it('does not try again what cannot succeed', async () => {
    const { tries, outcome } = run(new Failure('refused'));
    await pass(600_000);
    expect(tries).toEqual([0]);
    expect(await outcome).toBe('refused');
  });

  it('gives a server that names no time half a minute, and cannot be hurried past one it names', async () => {
    const unnamed = run(new Failure('rate_limited'));
    await pass(60_000);
    expect(unnamed.tries).toEqual([0, 30]);
    const named = run(new Failure('unavailable', { retryAfterMs: 20_000 }));
    await pass(1_000);
    named.patience.hurry();
    await pass(30_000);
    expect(named.tries).toEqual([0, 20]);
  });

  it('can be hurried', async () => {
    const { patience, tries } = run(...hiccups(4));
    await pass(10_000);
    const before = tries.length;
    patience.hurry();
    await pass();
    expect(tries.length).toBe(before + 1);
  });

  it('can be called off, in a pause and during a request', async () => {
    const paused = run(...hiccups(9));
    await pass(10_000);
    paused.patience.callOff();
    await pass(600_000);
    expect(paused.tries).toHaveLength(4);
    expect(await paused.outcome).toBe('unavailable');

    const running = run(...hiccups(9));
    running.patience.callOff();
    await pass(600_000);
    expect(running.tries).toHaveLength(1);
  });
});
