import { useCallback, useEffect, useRef, useState } from 'react';
import { Failure } from '../failure';
import { Patience, type Pause } from '../patience';

/**
 * - `sending`: a request is under way; `failure` is what the try before it met
 * - `waiting`: it is tried again by itself
 * - `failed`: it is tried again only when the customer says so
 */
export interface Sending {
  name: 'idle' | 'sending' | 'waiting' | 'failed';
  failure?: Failure | undefined;
  /** Epoch ms of the next try; while offline there is none. */
  until?: number | undefined;
}

/** One thing that is sent at a time, with patience: what it is doing, and how to hurry or stop it. */
export function useSending() {
  const [sending, setSending] = useState<Sending>({ name: 'idle' });
  // State is a render late for the second click of a double click; this is not.
  const current = useRef<Patience | undefined>(undefined);
  useEffect(() => () => current.current?.callOff(), []);

  /** Resolves with undefined when something is under way already. Rejects with the last Failure. */
  const send = useCallback(async <T>(attempt: () => Promise<T>): Promise<T | undefined> => {
    if (current.current !== undefined) return undefined;
    const patience = new Patience(({ failure, until }: Pause) => {
      setSending({ name: 'waiting', failure, until });
    });
    current.current = patience;
    setSending({ name: 'sending' });
    try {
      const result = await patience.run(() => {
        setSending(({ failure }) => ({ name: 'sending', failure }));
        return attempt();
      });
      setSending({ name: 'idle' });
      return result;
    } catch (error) {
      const failure = error instanceof Failure ? error : new Failure('unexpected');
      const wait = failure.retryAfterMs;
      setSending({ name: 'failed', failure, until: wait && Date.now() + wait });
      throw failure;
    } finally {
      current.current = undefined;
    }
  }, []);
  const hurry = useCallback(() => current.current?.hurry(), []);
  const callOff = useCallback(() => current.current?.callOff(), []);
  const clear = useCallback(() => setSending({ name: 'idle' }), []);
  return { sending, send, hurry, callOff, clear };
}
