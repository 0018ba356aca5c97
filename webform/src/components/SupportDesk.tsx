import { useLayoutEffect, useState } from 'react';
import { useDesk } from '../desk';
import type { OpenTicket } from '../memory';
import { takeLinkedTicket } from '../ticket-link';
import { ContactForm } from './ContactForm';
import { Conversation } from './Conversation';

/** The ticket open on this page: from a link, from before a reload, or just sent. */
function useOpenTicket() {
  const { memory } = useDesk();
  const [ticket, setTicket] = useState(() => memory.ticket());

  const keep = (next: OpenTicket | undefined) => {
    memory.keepTicket(next);
    setTicket(next);
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
      memory.keepTicket(next);
      setTicket(next);
    };
    openLink();
    window.addEventListener('hashchange', openLink);
    return () => window.removeEventListener('hashchange', openLink);
  }, [memory]);
  return [ticket, keep] as const;
}

/** Shows the form, or the conversation of the open ticket. */
export function SupportDesk() {
  const [ticket, keep] = useOpenTicket();
  // Focus follows what the customer did; a reload or a link leaves it to the page.
  const [acted, setActed] = useState(false);
  const show = (next: OpenTicket | undefined) => {
    setActed(true);
    keep(next);
  };
  if (ticket === undefined) return <ContactForm takeFocus={acted} onSent={show} />;
  return (
    <Conversation
      key={ticket.id}
      ticket={ticket}
      takeFocus={acted}
      onAnew={() => show(undefined)}
    />
  );
}
