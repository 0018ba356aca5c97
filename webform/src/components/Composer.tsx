import { type ClipboardEvent, type FormEvent, type KeyboardEvent, useId, useRef } from 'react';
import { filesOf } from '../chosen-files';
import { useDesk } from '../desk';
import type { ThreadMessage, TicketRef } from '../ticket';
import { ChosenFiles } from './ChosenFiles';
import { FailureNotice } from './FailureNotice';
import { AlertIcon, ClipIcon } from './icons';
import { SendButton } from './SendButton';
import { useComposer } from './useComposer';
import { useDrop } from './useDrop';

interface Props {
  ticket: TicketRef;
  closed: boolean;
  onSent: (message: ThreadMessage) => void;
}

/** Adds words and files to the thread: written, chosen, dropped or pasted. */
export function Composer({ ticket, closed, onSent }: Props) {
  const { strings } = useDesk();
  const composer = useComposer(ticket, onSent);
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
  const onPaste = (event: ClipboardEvent) => {
    const files = filesOf(event.clipboardData);
    if (files.length === 0) return;
    event.preventDefault();
    composer.attach(files);
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
        onPaste={onPaste}
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
        <Limits id={`${id}-limits`} limits={composer.limits} />
      </div>
      {dropping && (
        <p className="drop" aria-hidden="true">
          {strings.reply.drop}
        </p>
      )}
    </form>
  );
}

function Problems({ id, problems }: { id: string; problems: readonly string[] }) {
  return (
    <div id={id} role="status">
      {problems.map((words) => (
        <p key={words} className="error">
          <AlertIcon />
          {words}
        </p>
      ))}
    </div>
  );
}

/** A button of our own in front of the browser's, which cannot be translated. */
function ChooseFiles({ onChoose }: { onChoose: (files: File[]) => void }) {
  const { strings } = useDesk();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" className="quiet" onClick={() => input.current?.click()}>
        <ClipIcon />
        {strings.reply.attach}
      </button>
      <input
        ref={input}
        className="unseen"
        type="file"
        name="file"
        multiple
        tabIndex={-1}
        aria-hidden="true"
        onChange={({ target }) => {
          onChoose([...(target.files ?? [])]);
          // The same file can be chosen again after it was removed.
          target.value = '';
        }}
      />
    </>
  );
}

function Limits({
  id,
  limits,
}: {
  id: string;
  limits: { maxFiles: number; maxFileBytes: number };
}) {
  const { strings, numbers } = useDesk();
  const { limits: files, limitOfEach } = strings.reply;
  return (
    <p id={id} className="hint" data-testid="limits">
      {files(limits.maxFiles)} · {limitOfEach(numbers.size(limits.maxFileBytes))}
    </p>
  );
}
