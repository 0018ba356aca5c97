import { Failure } from './failure';

/** Between tries, as long as the server does not ask for more; the last one repeats. */
const PAUSES_MS = [800, 2_000, 5_000, 15_000, 30_000, 60_000];
/** The first pauses pass without a word: most hiccups are over by then. */
const SILENT_TRIES = 2;
const LONGEST_SILENT_MS = 5_000;
/** About twenty minutes of trying; then a person has to press the button. Offline does not count. */
const MOST_TRIES = 24;
const RATE_PAUSE_MS = 30_000;
/** Some devices never say that they are back. */
const OFFLINE_PAUSE_MS = 30_000;

/** Why nothing is being sent at the moment, and when (epoch ms) it is tried again; offline: when connected. */
export interface Pause {
  failure: Failure;
  until: number | undefined;
}

/** Tries a request until it succeeds or fails for good, and can be hurried or called off in between. */
export class Patience {
  readonly #onPause: (pause: Pause) => void;
  #end: ((goOn: boolean) => void) | undefined;
  #calledOff = false;
  /** Whether the length of the pause is the server's. */
  #told = false;

  constructor(onPause: (pause: Pause) => void) {
    this.#onPause = onPause;
  }

  /** Ends the pause now, unless the server named its end. */
  hurry(): void {
    if (!this.#told) this.#end?.(true);
  }

  /** Tries no more: what is under way still counts, and a pause ends in its failure. */
  callOff(): void {
    this.#calledOff = true;
    this.#end?.(false);
  }

  /** Throws the last Failure when trying again is no use, or called off. */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; ) {
      try {
        return await attempt();
      } catch (error) {
        const failure = error instanceof Failure ? error : new Failure('unexpected');
        if (failure.kind !== 'offline') tries += 1;
        if (!failure.passing || tries >= MOST_TRIES || this.#calledOff) throw failure;
        if (!(await this.#pause(failure, tries))) throw failure;
      }
    }
  }

  #pause(failure: Failure, tries: number): Promise<boolean> {
    const wait = waitFor(failure, tries);
    const hiccup = failure.kind === 'unreachable' || failure.kind === 'unavailable';
    const silent = hiccup && tries <= SILENT_TRIES && wait <= LONGEST_SILENT_MS;
    const until = failure.kind === 'offline' ? undefined : Date.now() + wait;
    this.#told = failure.retryAfterMs !== undefined;
    if (!silent) this.#onPause({ failure, until });
    return new Promise((resolve) => {
      const online = () => this.#end?.(true);
      const timer = setTimeout(online, wait);
      // A server that named a time means it, also to those who are just back.
      if (!this.#told) window.addEventListener('online', online);
      this.#end = (goOn) => {
        this.#end = undefined;
        clearTimeout(timer);
        window.removeEventListener('online', online);
        resolve(goOn);
      };
    });
  }
}

/** A tenth more or less, so that those who were cut off together do not come back together. */
function waitFor({ kind, retryAfterMs }: Failure, tries: number): number {
  if (kind === 'offline') return OFFLINE_PAUSE_MS;
  // "Too much" without a time is no reason to be back within the second.
  if (kind === 'rate_limited' && retryAfterMs === undefined) return RATE_PAUSE_MS;
  const own = PAUSES_MS[Math.min(Math.max(tries, 1), PAUSES_MS.length) - 1] ?? 0;
  return Math.max(own * (0.9 + 0.2 * Math.random()), retryAfterMs ?? 0);
}
