/** A piece of plain text; with `href` it is a link. */
export interface Piece {
  text: string;
  href?: string;
}

// Ends at white space, quotes, angle brackets and characters that turn the reading direction.
const ADDRESS = /https?:\/\/[^\s<>"'`\p{Cc}\p{Bidi_Control}]+/giu;
const TRAILING = /[.,;:!?*_~]+$/;

/** Leaves a sentence's punctuation, and a bracket that was opened outside, out of the address. */
function trimmed(address: string): string {
  const bare = address.replace(TRAILING, '');
  const last = bare.at(-1);
  const open = last === ')' ? '(' : last === ']' ? '[' : undefined;
  if (last === undefined || open === undefined) return bare;
  return bare.split(open).length < bare.split(last).length ? trimmed(bare.slice(0, -1)) : bare;
}

/** Only http(s), and no user name before the host: `https://bank.example@evil.example` stays text. */
function safeHref(address: string): string | undefined {
  try {
    const url = new URL(address);
    const web = url.protocol === 'https:' || url.protocol === 'http:';
    return web && url.username === '' && url.password === '' ? url.href : undefined;
  } catch {
    return undefined;
  }
}

export function linkify(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = trimmed(match[0]);
    const href = safeHref(address);
    if (href === undefined) continue;
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) });
    pieces.push({ text: address, href });
    end = match.index + address.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}
