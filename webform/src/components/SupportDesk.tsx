import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useDesk } from '../desk';
import type { OpenTicket } from '../memory';
import { takeLinkedTicket } from '../ticket-link';
import { ContactForm } from './ContactForm';
import { Conversation } from './Conversation';
import { useOwner } from './useSigned';

/** The ticket open on this page: from a link, from before a reload, or just sent. */
function useOpenTicket() {
  const { memory } = useDesk();
  const [ticket, setTicket] = useState(() => memory.ticket());

  const keep = (next: OpenTicket | undefined) => {
    memory.keepTicket(next);
    setTicket(next);
  };
  /** The two change places, so that neither is lost. */
  const goBack = () => {
    const former = memory.former();
    if (former === undefined) return;
    memory.keepFormer(memory.ticket());
    keep(former);
  };
  useLayoutEffect(() => {
    const openLink = () => {
      const linked = takeLinkedTicket();
      if (linked === undefined) return;
      const known = memory.ticket();
      const next = {
        ...(known?.id === linked.id ? known : {}),
        ...linked,
        linked: true,
        trust: undefined,
      };
      // A link, which anybody may have sent, takes nobody's own conversation away.
      if (known !== undefined && known.id !== linked.id) memory.keepFormer(known);
      memory.keepTicket(next);
      setTicket(next);
    };
    openLink();
    window.addEventListener('hashchange', openLink);
    return () => window.removeEventListener('hashchange', openLink);
  }, [memory]);
  return { ticket, keep, goBack, former: memory.former() };
}

/** Shows what belongs to who is signed in on the site around, and nothing that somebody else left here. */
export function SupportDesk() {
  const { memory } = useDesk();
  const owner = useOwner();
  const first = useRef(owner);
  first.current ??= owner;
  // With nothing to be mistaken for another's, the form need not wait for the site's word.
  const [fresh] = useState(() => memory.isEmpty());
  if (owner === undefined && !fresh) return null;
  return <OwnedDesk key={owner === first.current ? 'first' : owner} owner={owner} />;
}

/** Shows the form, or the conversation of the open ticket. */
function OwnedDesk({ owner }: { owner: string | undefined }) {
  const { memory } = useDesk();
  useState(() => owner !== undefined && memory.belongTo(owner));
  useEffect(() => {
    if (owner !== undefined) memory.adopt(owner);
  }, [memory, owner]);
  const { ticket, keep, goBack, former } = useOpenTicket();
  // Focus follows what the customer did; a reload or a link leaves it to the page.
  const [acted, setActed] = useState(false);
  const [files, setFiles] = useState<readonly File[]>([]);
  const show = (next: OpenTicket | undefined, along: readonly File[] = []) => {
    setActed(true);
    setFiles(along);
    keep(next);
  };
  const back = () => {
    setActed(true);
    setFiles([]);
    goBack();
  };
  if (ticket === undefined) return <ContactForm takeFocus={acted} onSent={show} />;
  return (
    <Conversation
      key={ticket.id}
      ticket={ticket}
      takeFocus={acted}
      files={files}
      onAnew={() => show(undefined)}
      onBack={former && former.id !== ticket.id ? back : undefined}
    />
  );
}
