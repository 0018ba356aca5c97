import { identityOf } from '../chosen-files';
import { useDesk } from '../desk';
import { CloseIcon, FileIcon } from './icons';

interface Props {
  files: readonly File[];
  onRemove: (file: File) => void;
}

/** What will be sent along; each can be taken out again. */
export function ChosenFiles({ files, onRemove }: Props) {
  const { strings, numbers } = useDesk();
  return (
    <ul className="files" aria-label={strings.reply.chosen} data-testid="chosen">
      {files.map((file) => (
        <li key={identityOf(file)} className="file">
          <FileIcon />
          <bdi className="file-name">{file.name}</bdi>
          <bdi className="file-size">{numbers.size(file.size)}</bdi>
          <button
            type="button"
            className="remove"
            aria-label={strings.reply.remove(file.name)}
            onClick={() => onRemove(file)}
          >
            <CloseIcon />
          </button>
        </li>
      ))}
    </ul>
  );
}
