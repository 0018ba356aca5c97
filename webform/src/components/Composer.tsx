import { type FormEvent, type KeyboardEvent, useId, useRef } from 'react';
import { useDesk } from '../desk';
import type { ThreadMessage, TicketRef } from '../ticket';
import { ChosenFiles } from './ChosenFiles';
import { FailureNotice } from './FailureNotice';
import { ChooseFiles, FileLimits, Problems } from './FilePicker';
import { SendButton } from './SendButton';
import { useComposer } from './useComposer';
import { pasted, useDrop } from './useDrop';

interface Props {
  ticket: TicketRef;
  closed: boolean;
  /** Chosen beside the ticket's first message: they follow it by themselves. */
  files?: readonly File[] | undefined;
  onSent: (message: ThreadMessage) => void;
}

/** Adds words and files to the thread: written, chosen, dropped or pasted. */
export function Composer({ ticket, closed, files, onSent }: Props) {
  const { strings } = useDesk();
  const composer = useComposer(ticket, onSent, files);
  const { text, choice, problem, progress, sending, field } = composer;
  const form = useRef<HTMLFormElement>(null);
  const dropping = useDrop(form, composer.attach);
  const id = useId();
  const busy = sending.name === 'sending';

  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void composer.submit();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const meant = event.key === 'Enter' && (event.ctrlKey || event.metaKey);
    if (meant) void composer.submit();
  };

  return (
    <form
      ref={form}
      className="composer"
      noValidate
      data-testid="composer"
      data-dropping={dropping}
      aria-busy={busy}
      onSubmit={onSubmit}
    >
      <label htmlFor={id}>{closed ? strings.reply.reopen : strings.reply.label}</label>
      <textarea
        ref={field}
        id={id}
        name="reply"
        rows={3}
        dir={text === '' ? undefined : 'auto'}
        value={text}
        aria-invalid={problem !== undefined}
        aria-describedby={`${id}-problem ${id}-limits`}
        onChange={({ target }) => composer.write(target.value)}
        onKeyDown={onKeyDown}
        onPaste={pasted(composer.attach)}
      />
      <Problems id={`${id}-problem`} problems={problem ? [problem] : choice.problems} />
      {choice.files.length > 0 && <ChosenFiles files={choice.files} onRemove={composer.remove} />}
      {progress !== undefined && (
        <progress max={1} value={progress} aria-label={strings.reply.uploading} />
      )}
      <FailureNotice sending={sending} />
      <div className="actions">
        <SendButton sending={sending} label={strings.reply.send} />
        <ChooseFiles onChoose={composer.attach} />
        <FileLimits id={`${id}-limits`} limits={composer.limits} />
      </div>
      {dropping && (
        <p className="drop" aria-hidden="true">
          {strings.reply.drop}
        </p>
      )}
    </form>
  );
}
