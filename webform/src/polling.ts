import { Failure } from './failure';
import type { Ticket } from './ticket';

const FIRST_MS = 1_000;
const LONGEST_MS = 10_000;
const GROWTH = 1.25;
/** An answered ticket may still hear from a person, but nobody waits for that by the second. */
const ANSWERED_MS = 30_000;
/** About a minute: until what the customer just added has surely changed the ticket's status. */
const EAGER_TRIES = 12;

export interface Watcher {
  onTicket(ticket: Ticket): void;
  onFailure(failure: Failure): void;
}

/** 1 s, then a quarter more each time, 10 s at most. */
export function pollDelay(attempt: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * GROWTH ** attempt);
}

/**
 * Reads a ticket at once and then ever less often, until it is closed or gone; a closed one may be opened again.
 *
 * Nothing is asked while the tab is hidden; when it is seen again, or the connection is back, or the
 * thread has changed, asking starts over at its quickest; so it does after a `nudge` event, which says
 * that something was just added. Returns the function that ends it.
 */
export function watchTicket(
  read: () => Promise<Ticket>,
  watcher: Watcher,
  nudges?: EventTarget,
): () => void {
  const watch = new TicketWatch(read, watcher, nudges);
  watch.start();
  return () => watch.stop();
}

class TicketWatch {
  readonly #read: () => Promise<Ticket>;
  readonly #watcher: Watcher;
  readonly #nudges: EventTarget | undefined;
  readonly #wake = () => this.#restart();
  readonly #nudged = () => {
    this.#eager = EAGER_TRIES;
    this.#restart();
  };
  #eager = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #asking = false;
  #ended = false;
  #last = '';

  constructor(read: () => Promise<Ticket>, watcher: Watcher, nudges: EventTarget | undefined) {
    this.#read = read;
    this.#watcher = watcher;
    this.#nudges = nudges;
  }

  start(): void {
    document.addEventListener('visibilitychange', this.#wake);
    window.addEventListener('online', this.#wake);
    this.#nudges?.addEventListener('nudge', this.#nudged);
    void this.#ask();
  }

  stop(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    document.removeEventListener('visibilitychange', this.#wake);
    window.removeEventListener('online', this.#wake);
    this.#nudges?.removeEventListener('nudge', this.#nudged);
  }

  #restart(): void {
    clearTimeout(this.#timer);
    this.#attempt = 0;
    if (!document.hidden) void this.#ask();
  }

  async #ask(): Promise<void> {
    if (this.#asking || this.#ended || document.hidden) return;
    this.#asking = true;
    const wait = await this.#read().then(
      (ticket) => this.#seen(ticket),
      (error) => this.#failed(error instanceof Failure ? error : new Failure('unexpected')),
    );
    this.#asking = false;
    if (wait === undefined) this.stop();
    else if (!this.#ended && Number.isFinite(wait))
      this.#timer = setTimeout(() => void this.#ask(), wait);
  }

  /** Returns the milliseconds until the next question, or undefined for none ever; infinite: not by itself. */
  #seen(ticket: Ticket): number | undefined {
    if (this.#ended) return undefined;
    const now = `${ticket.status} ${ticket.messages.length}`;
    if (now !== this.#last) this.#attempt = 0;
    this.#last = now;
    this.#watcher.onTicket(ticket);
    const calm = ticket.status === 'answered' && this.#eager === 0;
    const over = ticket.status === 'closed' && this.#eager === 0;
    this.#eager = Math.max(0, this.#eager - 1);
    if (over) return Number.POSITIVE_INFINITY;
    return calm ? ANSWERED_MS : pollDelay(this.#attempt++);
  }

  #failed(failure: Failure): number | undefined {
    if (this.#ended) return undefined;
    this.#watcher.onFailure(failure);
    if (failure.kind === 'not_found') return undefined;
    return Math.max(pollDelay(this.#attempt++), failure.retryAfterMs ?? 0);
  }
}
