import { useEffect, useRef, useState } from 'react';
import { useDesk } from '../desk';
import type { OpenTicket } from '../memory';
import type { ThreadMessage, Ticket, TicketRef } from '../ticket';
import { Composer } from './Composer';
import { CopyLink } from './CopyLink';
import { Notes } from './Notes';
import { Rating } from './Rating';
import { Status } from './Status';
import { Thread } from './Thread';
import { Title } from './Title';
import { useOnline } from './useOnline';
import { useTicket } from './useTicket';

const SLOW_AFTER_MS = 60_000;
const RECEIVED: Ticket = { status: 'received', messages: [] };

interface Props {
  ticket: OpenTicket;
  takeFocus: boolean;
  /** Chosen beside its first message, and still to be sent. */
  files?: readonly File[] | undefined;
  onAnew: () => void;
  /** Where a link has opened this one in place of another. */
  onBack?: (() => void) | undefined;
}

/** The thread of the open ticket; answers appear in it as they come. */
export function Conversation({ ticket: open, takeFocus, files, onAnew, onBack }: Props) {
  const { strings, onAnswers } = useDesk();
  const { ticket, trouble, added, add } = useTicket(open);
  const [waiting, setWaiting] = useState(files);
  const heading = useRef<HTMLHeadingElement>(null);
  const messages = [...messagesOf(open, ticket), ...added];
  const answers = messages.filter(({ author }) => author !== 'customer').length;
  const onSent = (message: ThreadMessage) => {
    setWaiting(undefined);
    add(message);
  };
  const gone = trouble?.kind === 'not_found';

  useEffect(() => {
    if (takeFocus) heading.current?.focus();
  }, [takeFocus]);
  useEffect(() => {
    if (ticket !== undefined) onAnswers?.(answers);
  }, [ticket, answers, onAnswers]);

  return (
    <section className="card" data-state={gone ? 'failed' : answers > 0 ? 'answered' : 'sent'}>
      <header>
        <Title ref={heading} dir={open.subject ? 'auto' : undefined}>
          {open.subject || strings.thread}
        </Title>
        {!gone && <Status status={ticket?.status ?? (open.sent && 'received')} />}
      </header>
      {gone ? (
        <p className="notice bad" role="alert">
          {strings.notFound}
        </p>
      ) : (
        <>
          <Notes open={open} ticket={ticket} />
          <Thread ticket={open} messages={messages} />
          <Waiting ticket={ticket ?? RECEIVED} troubled={trouble !== undefined} />
          {ticket && <Next open={open} ticket={ticket} files={waiting} onSent={onSent} />}
        </>
      )}
      <footer className="actions">
        {onBack && (
          <button type="button" className="quiet" data-testid="back" onClick={onBack}>
            {strings.back}
          </button>
        )}
        <button type="button" className={gone ? 'primary' : 'quiet'} onClick={onAnew}>
          {strings.anew}
        </button>
        {!gone && <CopyLink ticket={open} />}
      </footer>
    </section>
  );
}

/** Until the server has the customer's message, the page shows what it sent. */
function messagesOf({ sent }: OpenTicket, ticket: Ticket | undefined): ThreadMessage[] {
  const messages = ticket?.messages ?? [];
  if (sent === undefined || messages.some(({ author }) => author === 'customer')) return messages;
  return [{ author: 'customer', ...sent }, ...messages];
}

interface NextProps {
  open: TicketRef;
  ticket: Ticket;
  files?: readonly File[] | undefined;
  onSent: (message: ThreadMessage) => void;
}

/** What the customer can do now: rate what is answered, and add to it; on a closed ticket that opens it again. */
function Next({ open, ticket: { status, rating, canRate, asked }, files, onSent }: NextProps) {
  return (
    <>
      {(canRate || rating !== undefined) && (
        <Rating ticket={open} rating={rating} asked={asked && status === 'closed'} />
      )}
      <Composer ticket={open} closed={status === 'closed'} files={files} onSent={onSent} />
    </>
  );
}

/** What goes on below the last message: an answer being written, a long wait, a lost connection. */
function Waiting({ ticket, troubled }: { ticket: Ticket; troubled: boolean }) {
  const { strings } = useDesk();
  const waiting = ticket.status === 'received' || ticket.status === 'open';
  const online = useOnline();
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    setSlow(false);
    const timer = waiting ? setTimeout(() => setSlow(true), SLOW_AFTER_MS) : undefined;
    return () => clearTimeout(timer);
  }, [waiting]);
  const lost = online ? troubled && strings.reconnecting : strings.offlineThread;
  const aside = lost || (waiting && slow && strings.slow);
  return (
    <>
      {waiting && !lost && (
        <div className="writing" aria-hidden="true">
          <i />
          <i />
          <i />
        </div>
      )}
      <p className="aside" role="status" data-testid="aside">
        {aside}
      </p>
    </>
  );
}
