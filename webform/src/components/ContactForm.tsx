import { type FormEvent, useEffect, useRef } from 'react';
import { useDesk } from '../desk';
import type { OpenTicket } from '../memory';
import type { Signed } from '../signed';
import { CATEGORIES, type FieldName, LIMITS } from '../ticket';
import { codePoints } from '../validation';
import { ChosenFiles } from './ChosenFiles';
import { ErrorSummary } from './ErrorSummary';
import { FailureNotice } from './FailureNotice';
import { Field, type FieldState } from './Field';
import { ChooseFiles, FileLimits, Problems } from './FilePicker';
import { PersonIcon } from './icons';
import { SendButton } from './SendButton';
import { Title } from './Title';
import { Trap } from './Trap';
import type { Chosen } from './useChoice';
import { hasErrors, useContactForm } from './useContactForm';
import { pasted, useDrop } from './useDrop';
import { useOnline } from './useOnline';
import type { Sending } from './useSending';

interface Props {
  takeFocus: boolean;
  onSent: (ticket: OpenTicket, files: readonly File[]) => void;
}

export function ContactForm({ takeFocus, onSent }: Props) {
  const { strings } = useDesk();
  const { draft, signed, known, errors, sending, alerts, visit, chosen, ...on } =
    useContactForm(onSent);
  const form = useRef<HTMLFormElement>(null);
  const dropping = useDrop(form, chosen.attach);
  const heading = useRef<HTMLHeadingElement>(null);
  const notice = useRef<HTMLDivElement>(null);
  const trap = useRef<HTMLInputElement>(null);
  const roomLeft = useRoomLeft(draft.message);
  const busy = sending.name === 'sending';
  const offline = useOnline() || sending.failure ? '' : strings.failures.offline;

  useEffect(() => {
    if (takeFocus) heading.current?.focus();
  }, [takeFocus]);
  useEffect(() => {
    if (alerts > 0) notice.current?.focus();
  }, [alerts]);
  useEffect(() => {
    if (sending.failure?.kind === 'trapped' && trap.current) trap.current.value = '';
  }, [sending.failure]);

  const goTo = (name: FieldName) =>
    form.current?.querySelector<HTMLElement>(`[name="${name}"]`)?.focus();
  const stateOf = (name: FieldName): FieldState => ({
    name,
    label: strings.labels[name],
    value: draft[name],
    error: errors[name],
    onChange: (value) => on.change(name, value),
    onLeave: () => on.leave(name),
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    visit.trap = trap.current?.value ?? '';
    void on.submit();
  };

  return (
    <section className="card" data-state={stateName(sending)}>
      <Title ref={heading}>{strings.heading}</Title>
      <p className="intro">{strings.intro}</p>
      <form
        ref={form}
        className="contact"
        noValidate
        data-dropping={dropping}
        aria-busy={busy}
        onSubmit={onSubmit}
        onPaste={pasted(chosen.attach)}
      >
        {hasErrors(errors) && alerts > 0 && (
          <ErrorSummary ref={notice} errors={errors} onChoose={goTo} />
        )}
        {signed && <SignedIn signed={signed} />}
        {known && !signed?.name && <Field {...stateOf('name')} autoComplete="name" />}
        {known && !signed && (
          <Field
            {...stateOf('email')}
            type="email"
            autoComplete="email"
            hint={strings.hints.email}
          />
        )}
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
        <Trap ref={trap} />
        <Field {...stateOf('subject')} wide />
        <Field {...stateOf('message')} wide rows={6} hint={roomLeft} />
        <FirstFiles chosen={chosen} dropping={dropping} />
        {sending.failure && <FailureNotice ref={notice} sending={sending} />}
        {/* The status below reads it out. */}
        <p className="aside wide" aria-hidden="true" data-testid="offline">
          {offline}
        </p>
        <div className="actions">
          <SendButton sending={sending} label={strings.submit} />
          <ChooseFiles onChoose={chosen.attach} />
          <FileLimits limits={chosen.limits} />
        </div>
      </form>
      <p className="unseen" role="status">
        {busy ? strings.sending : offline}
      </p>
    </section>
  );
}

/** What follows the message once it has arrived. */
function FirstFiles({ chosen, dropping }: { chosen: Chosen; dropping: boolean }) {
  const { strings } = useDesk();
  const { files, problems } = chosen.choice;
  return (
    <div className="chosen wide">
      <Problems problems={problems} />
      {files.length > 0 && <ChosenFiles files={files} onRemove={chosen.remove} />}
      {dropping && (
        <p className="drop" aria-hidden="true">
          {strings.reply.drop}
        </p>
      )}
    </div>
  );
}

/** Who is signed in on the site around types neither name nor address. */
function SignedIn({ signed: { name, email } }: { signed: Signed }) {
  const { strings } = useDesk();
  return (
    <p className="note wide" data-testid="signed">
      <PersonIcon />
      {strings.signedIn(name ? `${name} (${email})` : email)}
    </p>
  );
}

function stateName({ name }: Sending): string {
  return name === 'waiting' ? 'failed' : name;
}

/** Counts down once the message nears its limit; before that a number is only noise. */
function useRoomLeft(message: string): string | undefined {
  const { strings } = useDesk();
  if (message.length < LIMITS.message * 0.9) return undefined;
  const left = LIMITS.message - codePoints(message.trim());
  return left >= 0 ? strings.left(left) : strings.over(-left);
}
