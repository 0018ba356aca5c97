import { useDesk } from '../desk';
import { linkify } from '../linkify';
import type { ThreadMessage } from '../ticket';

/** The browser's own variety of the language, for the habits of its region, else the language. */
function localeFor(language: string): string {
  return navigator.languages.find((tag) => tag.split('-')[0] === language) ?? language;
}

/** The time alone today, with its day before that; nothing for what is no date. */
function whenOf(at: string, language: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '';
  const today = date.toDateString() === new Date().toDateString();
  const time = { hour: 'numeric', minute: '2-digit' } as const;
  const day = today ? {} : ({ day: 'numeric', month: 'short' } as const);
  return new Intl.DateTimeFormat(localeFor(language), { ...day, ...time }).format(date);
}

/** One message, as plain text: its line breaks are kept by the style, its addresses become links. */
export function Message({ message: { author, text, at } }: { message: ThreadMessage }) {
  const { strings, language } = useDesk();
  const when = whenOf(at, language);
  return (
    <article className="message" data-author={author}>
      <p className="byline">
        <b>{strings.authors[author]}</b>
        {when && <time dateTime={at}>{when}</time>}
      </p>
      <p className="text" dir="auto">
        <LinkedText text={text} />
      </p>
    </article>
  );
}

function LinkedText({ text }: { text: string }) {
  return linkify(text).map(({ text: piece, href }, place) =>
    href === undefined ? (
      piece
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of one text never move
      <a key={place} href={href} target="_blank" rel="noopener noreferrer">
        {piece}
      </a>
    ),
  );
}
