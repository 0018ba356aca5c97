import { useRef } from 'react';
import { useDesk } from '../desk';
import { AlertIcon, ClipIcon } from './icons';

/** A button of our own in front of the browser's, which cannot be translated. */
export function ChooseFiles({ onChoose }: { onChoose: (files: File[]) => void }) {
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

interface LimitsProps {
  id?: string;
  limits: { maxFiles: number; maxFileBytes: number };
}

/** How many files, and how large. */
export function FileLimits({ id, limits }: LimitsProps) {
  const { strings, numbers } = useDesk();
  const { limits: files, limitOfEach } = strings.reply;
  return (
    <p id={id} className="hint" data-testid="limits">
      {files(limits.maxFiles)} · {limitOfEach(numbers.size(limits.maxFileBytes))}
    </p>
  );
}

/** Why something cannot be sent, said when it happens. */
export function Problems({ id, problems }: { id?: string; problems: readonly string[] }) {
  return (
    <div id={id} aria-live="polite">
      {problems.map((words) => (
        <p key={words} className="error">
          <AlertIcon />
          {words}
        </p>
      ))}
    </div>
  );
}
