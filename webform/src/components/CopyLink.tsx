import { useEffect, useRef, useState } from 'react';
import { useDesk } from '../desk';
import type { TicketRef } from '../ticket';
import { linkTo } from '../ticket-link';
import { CheckIcon, LinkIcon } from './icons';

const SHOWN_MS = 4_000;

/** Copies the link that opens this conversation; where that is not allowed, shows it to copy by hand. */
export function CopyLink({ ticket }: { ticket: TicketRef }) {
  const { strings } = useDesk();
  const [state, setState] = useState<'idle' | 'copied' | 'by hand'>('idle');
  useEffect(() => {
    if (state !== 'copied') return;
    const timer = setTimeout(() => setState('idle'), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(linkTo(ticket));
      setState('copied');
    } catch {
      setState('by hand');
    }
  };
  if (state === 'by hand') return <LinkByHand link={linkTo(ticket)} />;
  return (
    <>
      <button type="button" className="quiet" onClick={() => void copy()}>
        {state === 'copied' ? <CheckIcon /> : <LinkIcon />}
        {state === 'copied' ? strings.copied : strings.copyLink}
      </button>
      <span className="unseen" role="status">
        {state === 'copied' ? strings.copied : ''}
      </span>
    </>
  );
}

function LinkByHand({ link }: { link: string }) {
  const { strings } = useDesk();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  return (
    <input ref={input} className="by-hand" readOnly aria-label={strings.linkToKeep} value={link} />
  );
}
