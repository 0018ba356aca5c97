import { useEffect, useRef, useState } from 'react';
import { useDesk } from '../desk';
import type { OpenTicket } from '../memory';
import type { ThreadMessage, Ticket } from '../ticket';
import { CopyLink } from './CopyLink';
import { CheckIcon, PersonIcon } from './icons';
import { Message } from './Message';
import { useTicket } from './useTicket';

const SLOW_AFTER_MS = 60_000;

interface Props {
  ticket: OpenTicket;
  takeFocus: boolean;
  onAnew: () => void;
}

/** The thread of the open ticket; answers appear in it as they come. */
export function Conversation({ ticket: open, takeFocus, onAnew }: Props) {
  const { strings } = useDesk();
  const { ticket, trouble } = useTicket(open);
  const heading = useRef<HTMLHeadingElement>(null);
  const messages = messagesOf(open, ticket);
  const answered = messages.some(({ author }) => author !== 'customer');
  const gone = trouble?.kind === 'not_found';

  useEffect(() => {
    if (takeFocus) heading.current?.focus();
  }, [takeFocus]);

  return (
    <section className="card" data-state={gone ? 'failed' : answered ? 'answered' : 'sent'}>
      <header>
        <h2 ref={heading} tabIndex={-1}>
          {open.subject || strings.thread}
        </h2>
        {!gone && <Status ticket={ticket ?? (open.sent && RECEIVED)} />}
      </header>
      {gone ? (
        <p className="notice bad" role="alert">
          {strings.notFound}
        </p>
      ) : (
        <Thread messages={messages} />
      )}
      {!gone && <Waiting ticket={ticket ?? RECEIVED} troubled={trouble !== undefined} />}
      <footer className="actions">
        <button type="button" className={answered || gone ? 'primary' : 'quiet'} onClick={onAnew}>
          {strings.anew}
        </button>
        {!gone && <CopyLink ticket={open} />}
      </footer>
    </section>
  );
}

const RECEIVED: Ticket = { status: 'received', messages: [] };

/** Until the server has the customer's message, the page shows what it sent. */
function messagesOf({ sent }: OpenTicket, ticket: Ticket | undefined): ThreadMessage[] {
  const messages = ticket?.messages ?? [];
  if (sent === undefined || messages.some(({ author }) => author === 'customer')) return messages;
  return [{ author: 'customer', ...sent }, ...messages];
}

function Status({ ticket }: { ticket: Ticket | undefined }) {
  const { strings } = useDesk();
  const status = ticket?.status;
  return (
    <p className="status" role="status" data-testid="status" data-status={status}>
      {status === 'escalated' && <PersonIcon />}
      {(status === 'answered' || status === 'received') && <CheckIcon />}
      {status && strings.statuses[status]}
    </p>
  );
}

function Thread({ messages }: { messages: ThreadMessage[] }) {
  const { strings } = useDesk();
  const log = useRef<HTMLDivElement>(null);
  const shown = useRef(messages.length);
  useEffect(() => {
    if (messages.length > shown.current) {
      log.current?.lastElementChild?.scrollIntoView?.({ block: 'nearest' });
    }
    shown.current = messages.length;
  }, [messages.length]);
  return (
    <div ref={log} className="thread" role="log" aria-label={strings.thread} data-testid="thread">
      {messages.map((message, place) => (
        // A thread only grows, so a place in it names a message.
        // biome-ignore lint/suspicious/noArrayIndexKey: see above
        <Message key={place} message={message} />
      ))}
    </div>
  );
}

/** What goes on below the last message: an answer being written, a long wait, a lost connection. */
function Waiting({ ticket, troubled }: { ticket: Ticket; troubled: boolean }) {
  const { strings } = useDesk();
  const waiting = ticket.status === 'received' || ticket.status === 'open';
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    setSlow(false);
    const timer = waiting ? setTimeout(() => setSlow(true), SLOW_AFTER_MS) : undefined;
    return () => clearTimeout(timer);
  }, [waiting]);
  const lost = navigator.onLine ? strings.reconnecting : strings.offlineThread;
  return (
    <>
      {waiting && !troubled && (
        <div className="writing" aria-hidden="true">
          <i />
          <i />
          <i />
        </div>
      )}
      <p className="aside" role="status" data-testid="aside">
        {troubled ? lost : waiting && slow ? strings.slow : ''}
      </p>
    </>
  );
}
