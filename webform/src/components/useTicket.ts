import { useCallback, useEffect, useState } from 'react';
import { useDesk } from '../desk';
import type { Failure } from '../failure';
import { watchTicket } from '../polling';
import type { ThreadMessage, Ticket, TicketRef } from '../ticket';

/** One failed read is a hiccup; a second in a row is worth saying. */
const WORTH_SAYING = 2;

/** Follows a ticket while it is shown. `trouble` is why nothing new may be seen at the moment. */
export function useTicket({ id, token }: TicketRef) {
  const { api } = useDesk();
  const [ticket, setTicket] = useState<Ticket>();
  const [trouble, setTrouble] = useState<Failure>();
  const [added, setAdded] = useState<Added[]>([]);
  const [nudges] = useState(() => new EventTarget());
  useEffect(() => {
    let failures = 0;
    const watcher = {
      onTicket(next: Ticket) {
        failures = 0;
        setTrouble(undefined);
        setTicket(next);
        setAdded((before) => stillMissing(before, next.messages));
      },
      onFailure(failure: Failure) {
        failures += 1;
        if (failures >= WORTH_SAYING || failure.kind !== 'unavailable') setTrouble(failure);
      },
    };
    return watchTicket(() => api.read({ id, token }), watcher, nudges);
  }, [api, id, token, nudges]);

  /** Shows a message that the server has taken before the server shows it. */
  const add = useCallback(
    (message: ThreadMessage) => {
      const after = ownOf(ticket?.messages ?? []).length;
      setAdded((before) => [...before, { message, after }]);
      nudges.dispatchEvent(new Event('nudge'));
    },
    [nudges, ticket],
  );
  return { ticket, trouble, added: added.map(({ message }) => message), add };
}

/** A message the server has taken, when it showed so many of the customer's own. */
interface Added {
  message: ThreadMessage;
  after: number;
}

function ownOf(messages: readonly ThreadMessage[]): ThreadMessage[] {
  return messages.filter(({ author }) => author === 'customer');
}

/** A message is there by its id; by its words among the new ones where ids tell nothing. */
function stillMissing(added: readonly Added[], messages: readonly ThreadMessage[]): Added[] {
  const own = ownOf(messages);
  const claimed = new Set<ThreadMessage>();
  return added.filter(({ message: { id, text }, after }) => {
    const there = own.find(
      (known, place) =>
        !claimed.has(known) &&
        ((id !== undefined && known.id === id) || (place >= after && known.text === text)),
    );
    if (there !== undefined) claimed.add(there);
    return there === undefined;
  });
}
