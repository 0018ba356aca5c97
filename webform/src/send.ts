import { payloadOf, type TicketApi } from './api';
import { Failure } from './failure';
import type { Memory, OpenTicket } from './memory';
import type { Draft } from './ticket';

/** Pauses before the silent second and third try. */
const PAUSES_MS = [800, 2_000];
const LONGEST_PAUSE_MS = 5_000;

/** Sends a draft and opens its ticket. Every try of the same contents carries the same key. Throws Failure. */
export async function send(draft: Draft, api: TicketApi, memory: Memory): Promise<OpenTicket> {
  const key = memory.keyFor(JSON.stringify(payloadOf(draft)));
  const ref = await withPatience(() => api.create(draft, key));
  memory.forgetKey();
  const sent = { text: draft.message.trim(), at: new Date().toISOString() };
  return { ...ref, subject: draft.subject.trim(), sent };
}

async function withPatience<T>(attempt: () => Promise<T>): Promise<T> {
  for (const pause of PAUSES_MS) {
    try {
      return await attempt();
    } catch (error) {
      const wait = Math.max(pause, (error as Failure).retryAfterMs ?? 0);
      if (!(error instanceof Failure && error.passing) || wait > LONGEST_PAUSE_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  return attempt();
}
