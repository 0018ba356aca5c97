import { useEffect, useState } from 'react';
import { useDesk } from '../desk';
import { ownerOf, signedBy } from '../signed';

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
    void desk.whoIsThere().then(settle);
    return () => {
      waiting = false;
      clearTimeout(timer);
    };
  }, [desk, asks]);
  return { signed, known, forget: () => setSigned(undefined) };
}

/** Whose what is remembered here may be; undefined while the site has not said who is there. */
export function useOwner(): string | undefined {
  const desk = useDesk();
  const { identity } = desk;
  const asks = typeof identity === 'function';
  const [told, setTold] = useState<string>();
  useEffect(() => {
    if (!asks) return;
    let waiting = true;
    const settle = (token: string | undefined) => {
      if (waiting) setTold(ownerOf(token));
      waiting = false;
    };
    const timer = setTimeout(settle, PATIENCE_MS, undefined);
    void desk.whoIsThere().then(settle);
    return () => {
      waiting = false;
      clearTimeout(timer);
    };
  }, [desk, asks]);
  return asks ? told : ownerOf(identity);
}
