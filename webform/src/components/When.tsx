import { useEffect, useState } from 'react';
import { useDesk } from '../desk';
import { exactly, whenOf } from '../when';

const MINUTE_MS = 60_000;

/** When something was written, in the reader's language; it grows older by itself. */
export function When({ at }: { at: string }) {
  const { language } = useDesk();
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), MINUTE_MS);
    return () => clearInterval(timer);
  }, []);
  const words = whenOf(at, language, now);
  if (words === '') return null;
  return (
    // The log reads out what is added; a time that only grows older is not news.
    <time dateTime={at} title={exactly(at, language)} aria-live="off">
      {words}
    </time>
  );
}
