import { useState } from 'react';
import { useDesk } from '../desk';
import type { Attachment, TicketRef } from '../ticket';
import { FileIcon } from './icons';

interface Props {
  ticket: TicketRef;
  attachments: readonly Attachment[];
}

/** Saved, never shown: what somebody else sent is not opened on this page. */
function save(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Files of a message; one whose contents are not kept (any more, or yet) is a name alone. */
export function Attachments({ ticket, attachments }: Props) {
  const { strings } = useDesk();
  const [failed, setFailed] = useState(false);
  return (
    <>
      <ul className="files" aria-label={strings.files.list}>
        {attachments.map((attachment, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the files of one message never move
          <li key={place}>
            <File ticket={ticket} attachment={attachment} onOutcome={setFailed} />
          </li>
        ))}
      </ul>
      <p className="aside" role="status">
        {failed ? strings.files.failed : ''}
      </p>
    </>
  );
}

interface FileProps {
  ticket: TicketRef;
  attachment: Attachment;
  onOutcome: (failed: boolean) => void;
}

function File({ ticket, attachment, onOutcome }: FileProps) {
  const { api, strings } = useDesk();
  const [busy, setBusy] = useState(false);
  const { id, name } = attachment;
  if (id === undefined) {
    return (
      <span className="file">
        <FileFacts attachment={attachment} />
      </span>
    );
  }
  const fetchFile = async () => {
    setBusy(true);
    try {
      save(await api.download(ticket, id), name);
      onOutcome(false);
    } catch {
      onOutcome(true);
    } finally {
      setBusy(false);
    }
  };
  return (
    <button
      type="button"
      className="file"
      data-testid="download"
      disabled={busy}
      onClick={() => void fetchFile()}
    >
      <FileFacts attachment={attachment} verb={strings.files.download} />
    </button>
  );
}

function FileFacts({
  attachment: { name, size },
  verb,
}: {
  attachment: Attachment;
  verb?: string;
}) {
  const { numbers } = useDesk();
  return (
    <>
      <FileIcon />
      {verb && <span className="unseen">{verb}</span>} <bdi className="file-name">{name}</bdi>{' '}
      {size > 0 && <bdi className="file-size">{numbers.size(size)}</bdi>}
    </>
  );
}
