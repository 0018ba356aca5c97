import { useRef, useState } from 'react';
import { type Choice, choose } from '../chosen-files';
import { DEFAULTS } from '../config';
import { useDesk } from '../desk';

const NOTHING: Choice = { files: [], problems: [] };

/** The files that are about to be sent, held to the server's limits as soon as those are known. */
export function useChoice(given: readonly File[] = []) {
  const { config, strings, numbers } = useDesk();
  const [choice, setChoice] = useState<Choice>({ ...NOTHING, files: [...given] });
  const [limits, setLimits] = useState(DEFAULTS);
  const known = useRef(limits);

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
  const remove = (file: File) =>
    setChoice(({ files }) => ({ files: files.filter((one) => one !== file), problems: [] }));
  const clear = () => setChoice(NOTHING);

  return { choice, limits, learn, attach, remove, clear };
}

export type Chosen = ReturnType<typeof useChoice>;
