import { useEffect, useRef } from 'react';
import { useDesk } from '../desk';
import type { ThreadMessage, TicketRef } from '../ticket';
import { Message } from './Message';

interface Props {
  ticket: TicketRef;
  messages: readonly ThreadMessage[];
}

/** Both sides' messages as a log: what is added is read out. */
export function Thread({ ticket, messages }: Props) {
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
        <Message key={place} ticket={ticket} message={message} />
      ))}
    </div>
  );
}
