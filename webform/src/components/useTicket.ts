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
  const [added, setAdded] = useState<ThreadMessage[]>([]);
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
      setAdded((before) => [...before, message]);
      nudges.dispatchEvent(new Event('nudge'));
    },
    [nudges],
  );
  return { ticket, trouble, added, add };
}

/** A message is there by its id; by its words where ids tell nothing. Each accounts for one. */
function stillMissing(added: ThreadMessage[], messages: ThreadMessage[]): ThreadMessage[] {
  const own = messages.filter(({ author }) => author === 'customer');
  return added.filter(({ id, text, at }) => {
    const place = own.findIndex(
      (known) => (id !== undefined && known.id === id) || (known.text === text && known.at >= at),
    );
    if (place >= 0) own.splice(place, 1);
    return place < 0;
  });
}
