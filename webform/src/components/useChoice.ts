import { useEffect, useRef, useState } from 'react';
import { type Choice, choose } from '../chosen-files';
import { DEFAULTS } from '../config';
import { useDesk } from '../desk';

const NOTHING: Choice = { files: [], problems: [] };

/**
 * The files that are about to be sent, held to the server's limits as soon as those are known. Those that a reload took
 * are asked for again by their names, which are kept under `purpose`.
 */
export function useChoice(purpose: string, given: readonly File[] = []) {
  const { config, memory, strings, numbers } = useDesk();
  const [choice, setChoice] = useState<Choice>(() => {
    const lost = given.length > 0 ? [] : memory.fileNames(purpose);
    const problems = lost.length > 0 ? [strings.reply.again(lost.join(', '))] : [];
    return { files: [...given], problems };
  });
  const [limits, setLimits] = useState(DEFAULTS);
  const known = useRef(limits);

  // What a reload took is remembered until other files take its place, or the message is sent.
  useEffect(() => {
    if (choice.files.length > 0) memory.keepFileNames(purpose, choice.files);
  }, [memory, purpose, choice.files]);

  const attach = (more: readonly File[]) => {
    setChoice(({ files }) => choose(files, more, known.current, strings, numbers.size));
    void learn();
  };
  /** Asks for the limits; what was chosen by larger ones is looked at again. */
  const learn = async () => {
    const next = await config();
    if (next === known.current) return;
    known.current = next;
    setLimits(next);
    setChoice((before) => {
      const again = choose([], before.files, next, strings, numbers.size);
      return again.problems.length > 0 ? again : before;
    });
  };
  const remove = (file: File) => {
    const files = choice.files.filter((one) => one !== file);
    memory.keepFileNames(purpose, files);
    setChoice({ files, problems: [] });
  };
  const clear = () => {
    memory.keepFileNames(purpose, []);
    setChoice(NOTHING);
  };

  return { choice, limits, learn, attach, remove, clear };
}

export type Chosen = ReturnType<typeof useChoice>;
