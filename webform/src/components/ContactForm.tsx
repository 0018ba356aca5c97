import { type FormEvent, useEffect, useRef } from 'react';
import { useDesk } from '../desk';
import type { OpenTicket } from '../memory';
import { CATEGORIES, type FieldName, LIMITS } from '../ticket';
import { codePoints } from '../validation';
import { ErrorSummary } from './ErrorSummary';
import { FailureNotice } from './FailureNotice';
import { Field, type FieldState } from './Field';
import { hasErrors, useContactForm } from './useContactForm';
import { useSecondsLeft } from './useSecondsLeft';

interface Props {
  takeFocus: boolean;
  onSent: (ticket: OpenTicket) => void;
}

export function ContactForm({ takeFocus, onSent }: Props) {
  const { strings } = useDesk();
  const { draft, errors, phase, alerts, change, leave, submit } = useContactForm(onSent);
  const form = useRef<HTMLFormElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const notice = useRef<HTMLDivElement>(null);
  const failed = phase.name === 'failed' ? phase : undefined;
  const wait = useSecondsLeft(failed?.until);
  const sending = phase.name === 'sending';
  const roomLeft = useRoomLeft(draft.message);

  useEffect(() => {
    if (takeFocus) heading.current?.focus();
  }, [takeFocus]);
  useEffect(() => {
    if (alerts > 0) notice.current?.focus();
  }, [alerts]);

  const goTo = (name: FieldName) =>
    form.current?.querySelector<HTMLElement>(`[name="${name}"]`)?.focus();
  const stateOf = (name: FieldName): FieldState => ({
    name,
    label: strings.labels[name],
    value: draft[name],
    error: errors[name],
    onChange: (value) => change(name, value),
    onLeave: () => leave(name),
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };

  return (
    <section className="card" data-state={phase.name}>
      <h2 ref={heading} tabIndex={-1}>
        {strings.heading}
      </h2>
      <p className="intro">{strings.intro}</p>
      <form ref={form} noValidate aria-busy={sending} onSubmit={onSubmit}>
        {hasErrors(errors) && alerts > 0 && (
          <ErrorSummary ref={notice} errors={errors} onChoose={goTo} />
        )}
        <Field {...stateOf('name')} autoComplete="name" />
        <Field {...stateOf('email')} type="email" autoComplete="email" hint={strings.hints.email} />
        <Field
          {...stateOf('phone')}
          type="tel"
          autoComplete="tel"
          optional
          hint={strings.hints.phone}
        />
        <Field
          {...stateOf('category')}
          options={CATEGORIES.map((value) => [value, strings.categories[value]] as const)}
        />
        <Field {...stateOf('subject')} wide />
        <Field {...stateOf('message')} wide rows={6} hint={roomLeft} />
        {failed && <FailureNotice ref={notice} failure={failed.failure} wait={wait} />}
        <div className="actions">
          <button type="submit" className="primary" disabled={sending || wait > 0}>
            {sending && <span className="spinner" aria-hidden="true" />}
            {sending ? strings.sending : failed ? strings.tryAgain : strings.submit}
          </button>
        </div>
      </form>
      <p className="unseen" role="status">
        {sending ? strings.sending : ''}
      </p>
    </section>
  );
}

/** Counts down once the message nears its limit; before that a number is only noise. */
function useRoomLeft(message: string): string | undefined {
  const { strings } = useDesk();
  if (message.length < LIMITS.message * 0.9) return undefined;
  const left = LIMITS.message - codePoints(message.trim());
  return left >= 0 ? strings.left(left) : strings.over(-left);
}
