import type { Config } from './config';
import type { Strings } from './strings';

type Limits = Pick<Config, 'maxFileBytes' | 'maxUploadBytes' | 'maxFiles'>;

/** What may be sent of the files somebody chose, and in words why the rest may not. */
export interface Choice {
  files: File[];
  problems: string[];
}

/** Adds files to those chosen before; the same file twice is one. */
export function choose(
  before: readonly File[],
  more: readonly File[],
  { maxFileBytes, maxUploadBytes, maxFiles }: Limits,
  { reply }: Strings,
  size: (bytes: number) => string,
): Choice {
  const problems: string[] = [];
  const files = [...before];
  let tooMuch = false;
  for (const file of more) {
    if (files.some((known) => identityOf(known) === identityOf(file))) continue;
    if (file.size === 0) problems.push(reply.empty(file.name));
    else if (file.size > maxFileBytes) problems.push(reply.tooBig(file.name, size(maxFileBytes)));
    else if (totalOf(files) + file.size > maxUploadBytes) tooMuch = true;
    else files.push(file);
  }
  if (tooMuch) problems.push(reply.tooMuch(size(maxUploadBytes)));
  if (files.length > maxFiles) problems.push(reply.tooMany(maxFiles));
  return { files: files.slice(0, maxFiles), problems };
}

function totalOf(files: readonly File[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

/** Tells files apart as far as a page can: also the same file chosen again after a reload. */
export function identityOf({ name, size, lastModified }: File): string {
  return `${name}/${size}/${lastModified}`;
}

/** A picture from the clipboard has no date of its own, and each is called the same. */
export function filesOf(data: DataTransfer | null): File[] {
  return [...(data?.files ?? [])];
}
