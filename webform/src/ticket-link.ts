import type { TicketRef } from './ticket';

/** The link is a fragment, so that the token reaches no server, log or referrer. */
export function linkTo(ref: TicketRef): string {
  const fragment = new URLSearchParams({ ticket: ref.id, token: ref.token });
  return `${location.href.split('#')[0]}#${fragment}`;
}

/** Reads `#ticket=ID&token=TOKEN` and takes it out of the address bar and the history. */
export function takeLinkedTicket(): TicketRef | undefined {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const id = fragment.get('ticket');
  const token = fragment.get('token');
  if (!id || !token) return undefined;
  fragment.delete('ticket');
  fragment.delete('token');
  const rest = fragment.size > 0 ? `#${fragment}` : '';
  history.replaceState(history.state, '', location.pathname + location.search + rest);
  return { id, token };
}

/** Whether the page was opened by a conversation's link. */
export function hasLinkedTicket(): boolean {
  const fragment = new URLSearchParams(location.hash.slice(1));
  return Boolean(fragment.get('ticket') && fragment.get('token'));
}
