import { useEffect, useState } from 'react';
import { useDesk } from '../desk';
import { identityOf } from '../send';
import { signedBy } from '../signed';

/** A site that takes longer than this to say who is there is not waited for. */
const PATIENCE_MS = 3_000;

/** Who the embedding site says is writing. While it has not said, `known` is false. */
export function useSigned() {
  const desk = useDesk();
  const { identity } = desk;
  const asks = typeof identity === 'function';
  const [signed, setSigned] = useState(() => signedBy(asks ? undefined : identity, Date.now()));
  const [known, setKnown] = useState(!asks);
  useEffect(() => {
    if (!asks) return;
    let waiting = true;
    const settle = (token: string | undefined) => {
      if (!waiting) return;
      waiting = false;
      setSigned(signedBy(token, Date.now()));
      setKnown(true);
    };
    const timer = setTimeout(settle, PATIENCE_MS, undefined);
    void identityOf(desk).then(settle);
    return () => {
      waiting = false;
      clearTimeout(timer);
    };
  }, [desk, asks]);
  return { signed, known, forget: () => setSigned(undefined) };
}
