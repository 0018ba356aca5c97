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

export function Attachments({ ticket, attachments }: Props) {
  const { api, strings, numbers } = useDesk();
  const [busy, setBusy] = useState<string>();
  const [failed, setFailed] = useState(false);
  const fetchFile = async (attachment: Attachment) => {
    setBusy(attachment.id);
    setFailed(false);
    try {
      save(await api.download(ticket, attachment), attachment.name);
    } catch {
      setFailed(true);
    } finally {
      setBusy(undefined);
    }
  };
  return (
    <>
      <ul className="files" aria-label={strings.files.list}>
        {attachments.map((attachment) => (
          <li key={attachment.id}>
            <button
              type="button"
              className="file"
              data-testid="download"
              disabled={busy === attachment.id}
              onClick={() => void fetchFile(attachment)}
            >
              <FileIcon />
              <span className="unseen">{strings.files.download} </span>
              <bdi className="file-name">{attachment.name}</bdi>{' '}
              {attachment.size > 0 && (
                <span className="file-size">{numbers.size(attachment.size)}</span>
              )}
            </button>
          </li>
        ))}
      </ul>
      <p className="aside" role="status">
        {failed ? strings.files.failed : ''}
      </p>
    </>
  );
}
