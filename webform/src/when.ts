/** The browser's own variety of the language, for the habits of its region, else the language. */
export function localeFor(language: string): string {
  return navigator.languages.find((tag) => tag.split('-')[0] === language) ?? language;
}

const MINUTE_MS = 60_000;

/** How long ago within the hour, the time alone today, with its day before that; nothing for what is no date. */
export function whenOf(at: string, language: string, now: number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '';
  const locale = localeFor(language);
  const minutes = Math.floor((now - date.getTime()) / MINUTE_MS);
  if (minutes < 60 && minutes > -60) return agoOf(Math.max(0, minutes), locale);
  const today = date.toDateString() === new Date(now).toDateString();
  const time = { hour: 'numeric', minute: '2-digit' } as const;
  const day = today ? {} : ({ day: 'numeric', month: 'short' } as const);
  return new Intl.DateTimeFormat(locale, { ...day, ...time }).format(date);
}

/** "now", then "1 minute ago". A clock that is a little fast does not speak of the future. */
function agoOf(minutes: number, locale: string): string {
  const words = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  return minutes === 0 ? words.format(0, 'second') : words.format(-minutes, 'minute');
}

/** The whole date, for whoever wants it exactly. */
export function exactly(at: string, language: string): string | undefined {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return undefined;
  const style = { dateStyle: 'full', timeStyle: 'short' } as const;
  return new Intl.DateTimeFormat(localeFor(language), style).format(date);
}
