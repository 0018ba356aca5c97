import type { Ref } from 'react';
import { useDesk } from '../desk';
import { useOnline } from './useOnline';
import { useSecondsLeft } from './useSecondsLeft';
import type { Sending } from './useSending';

interface Props {
  ref?: Ref<HTMLDivElement>;
  sending: Sending;
}

/** Why a message was not sent yet, and what happens next. */
export function FailureNotice({ ref, sending }: Props) {
  const { strings } = useDesk();
  const online = useOnline();
  const { failure, name } = sending;
  if (failure === undefined) return null;
  const backOnline = failure.kind === 'offline' && online && name === 'failed';
  return (
    <div
      ref={ref}
      className={backOnline ? 'notice good' : 'notice bad'}
      role="alert"
      tabIndex={-1}
      data-testid="failure"
      data-kind={failure.kind}
      data-retrying={name !== 'failed'}
    >
      <p>{backOnline ? strings.backOnline : strings.failures[failure.kind]}</p>
      {!backOnline && <Next sending={sending} />}
    </div>
  );
}

function Next({ sending: { name, failure, until } }: { sending: Sending }) {
  const { strings, numbers } = useDesk();
  const wait = useSecondsLeft(until);
  if (name === 'failed') {
    const worthIt = failure?.passing || failure?.kind === 'unexpected';
    return worthIt ? <p>{strings.retry.byHand}</p> : null;
  }
  if (failure?.kind === 'offline') return <p>{strings.retry.online}</p>;
  return (
    <>
      {/* Read once, not at every second of the countdown. */}
      <p aria-hidden="true">
        {wait > 0 ? strings.retry.in(numbers.duration(wait)) : strings.sending}
      </p>
      <p className="unseen">{strings.retry.goesOn}</p>
    </>
  );
}
