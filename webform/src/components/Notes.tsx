import { useEffect, useRef, useState } from 'react';
import { useDesk } from '../desk';
import type { OpenTicket } from '../memory';
import type { Ticket } from '../ticket';
import { CheckIcon, MailIcon, PersonIcon } from './icons';

interface Props {
  open: OpenTicket;
  ticket: Ticket | undefined;
}

/** What the customer should know besides the messages: a person is on it, the address can be confirmed. */
export function Notes({ open, ticket }: Props) {
  const { strings, config } = useDesk();
  const [mailsLink, setMailsLink] = useState(false);
  const trust = ticket?.trust ?? open.trust;
  const wasClaimed = useRef(false);
  wasClaimed.current ||= trust === 'claimed';
  const confirmed = trust === 'verified' && (open.linked === true || wasClaimed.current);
  useEffect(() => {
    let shown = true;
    if (trust === 'claimed') void config().then((known) => shown && setMailsLink(known.mailsLink));
    return () => {
      shown = false;
    };
  }, [config, trust]);
  return (
    <div className="notes" role="status">
      {ticket?.status === 'escalated' && (
        <p className="note person" data-testid="person">
          <PersonIcon />
          {strings.escalated}
        </p>
      )}
      {trust === 'claimed' && mailsLink && ticket?.status !== 'closed' && (
        <p className="note" data-testid="trust" data-trust="claimed">
          <MailIcon />
          {strings.trust.claimed}
        </p>
      )}
      {confirmed && (
        <p className="note good" data-testid="trust" data-trust="verified">
          <CheckIcon />
          {strings.trust.verified}
        </p>
      )}
    </div>
  );
}
