import { useDesk } from '../desk';
import type { TicketStatus } from '../ticket';
import { CheckIcon, PersonIcon } from './icons';

/** Where the ticket stands, in a few words that are read out when they change. */
export function Status({ status }: { status: TicketStatus | undefined }) {
  const { strings } = useDesk();
  return (
    <p className="status" role="status" data-testid="status" data-status={status}>
      {status === 'escalated' && <PersonIcon />}
      {(status === 'answered' || status === 'received') && <CheckIcon />}
      {status && strings.statuses[status]}
    </p>
  );
}
