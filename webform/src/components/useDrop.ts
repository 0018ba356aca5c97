import { type ClipboardEvent, type RefObject, useEffect, useRef, useState } from 'react';
import { filesOf } from '../chosen-files';

/** Files dropped anywhere on the card around an element are taken; text that is dragged is left alone. */
export function useDrop(element: RefObject<HTMLElement | null>, onFiles: (files: File[]) => void) {
  const [over, setOver] = useState(false);
  const take = useRef(onFiles);
  take.current = onFiles;
  useEffect(() => {
    const place = element.current?.closest<HTMLElement>('.card') ?? element.current;
    if (!place) return;
    const hold = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (!place.contains(event.relatedTarget as Node | null)) setOver(false);
    };
    const drop = (event: DragEvent) => {
      setOver(false);
      const files = filesOf(event.dataTransfer);
      if (files.length === 0) return;
      event.preventDefault();
      take.current(files);
    };
    const on = new AbortController();
    const { signal } = on;
    place.addEventListener('dragenter', hold, { signal });
    place.addEventListener('dragover', hold, { signal });
    place.addEventListener('dragleave', leave, { signal });
    place.addEventListener('drop', drop, { signal });
    return () => on.abort();
  }, [element]);
  return over;
}

/** Takes files, such as a picture of the screen, that are pasted where words are written. */
export function pasted(onFiles: (files: File[]) => void) {
  return (event: ClipboardEvent) => {
    const files = filesOf(event.clipboardData);
    if (files.length === 0) return;
    event.preventDefault();
    onFiles(files);
  };
}
