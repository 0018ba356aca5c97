import { useDesk } from '../desk';
import { useSecondsLeft } from './useSecondsLeft';
import type { Sending } from './useSending';

interface Props {
  sending: Sending;
  label: string;
}

/** Pressed while a message waits for its next try, it is sent now; a time the server named is kept to. */
export function SendButton({ sending: { name, failure, until }, label }: Props) {
  const { strings } = useDesk();
  const wait = useSecondsLeft(until);
  const busy = name === 'sending';
  const told = wait > 0 && failure?.retryAfterMs !== undefined;
  return (
    <button type="submit" className="primary" disabled={busy || told}>
      {busy && <span className="spinner" aria-hidden="true" />}
      {busy ? strings.sending : failure ? strings.tryAgain : label}
    </button>
  );
}
