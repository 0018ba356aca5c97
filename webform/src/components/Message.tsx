import { useDesk } from '../desk';
import { linkify } from '../linkify';
import type { ThreadMessage, TicketRef } from '../ticket';
import { Attachments } from './Attachments';
import { When } from './When';

interface Props {
  ticket: TicketRef;
  message: ThreadMessage;
}

/** One message, as plain text: its line breaks are kept by the style, its addresses become links. */
export function Message({ ticket, message }: Props) {
  const { strings } = useDesk();
  const { author, text, at, attachments = [] } = message;
  return (
    <article className="message" data-author={author}>
      <p className="byline">
        <b>{strings.authors[author]}</b>
        <When at={at} />
      </p>
      {text !== '' && (
        <p className="text" dir="auto">
          <LinkedText text={text} />
        </p>
      )}
      {attachments.length > 0 && <Attachments ticket={ticket} attachments={attachments} />}
    </article>
  );
}

function LinkedText({ text }: { text: string }) {
  return linkify(text).map(({ text: piece, href }, place) =>
    href === undefined ? (
      piece
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of one text never move
      <a key={place} href={href} target="_blank" rel="noopener noreferrer nofollow">
        {piece}
      </a>
    ),
  );
}
