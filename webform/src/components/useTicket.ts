import { useEffect, useState } from 'react';
import { useDesk } from '../desk';
import type { Failure } from '../failure';
import { watchTicket } from '../polling';
import type { Ticket, TicketRef } from '../ticket';

/** One failed read is a hiccup; a second in a row is worth saying. */
const WORTH_SAYING = 2;

/** Follows a ticket while it is shown. `trouble` is why nothing new may be seen at the moment. */
export function useTicket({ id, token }: TicketRef) {
  const { api } = useDesk();
  const [ticket, setTicket] = useState<Ticket>();
  const [trouble, setTrouble] = useState<Failure>();
  useEffect(() => {
    let failures = 0;
    return watchTicket(() => api.read({ id, token }), {
      onTicket(next) {
        failures = 0;
        setTrouble(undefined);
        setTicket(next);
      },
      onFailure(failure) {
        failures += 1;
        if (failures >= WORTH_SAYING || failure.kind !== 'unavailable') setTrouble(failure);
      },
    });
  }, [api, id, token]);
  return { ticket, trouble };
}
