import type { Ref } from 'react';
import { useDesk } from '../desk';
import type { Failure } from '../failure';
import { useOnline } from './useOnline';

interface Props {
  ref: Ref<HTMLDivElement>;
  failure: Failure;
  /** Seconds until the server takes another message. */
  wait: number;
}

/** Why a message was not sent, and what to do. */
export function FailureNotice({ ref, failure, wait }: Props) {
  const { strings } = useDesk();
  const online = useOnline();
  const backOnline = failure.kind === 'offline' && online;
  return (
    <div
      ref={ref}
      className={backOnline ? 'notice good' : 'notice bad'}
      role="alert"
      tabIndex={-1}
      data-testid="failure"
      data-kind={failure.kind}
    >
      <p>{backOnline ? strings.backOnline : strings.failures[failure.kind]}</p>
      {/* Read once, not at every second of the countdown. */}
      {wait > 0 && <p aria-hidden="true">{strings.waitFor(wait)}</p>}
    </div>
  );
}
