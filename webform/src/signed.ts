import { NOBODY } from './memory';
import type { Draft } from './ticket';

/** Who the embedding site says is writing. Read only to be shown: the server is the one that judges it. */
export interface Signed {
  email: string;
  /** Empty where the site does not say. */
  name: string;
}

/** Reads a JSON Web Token's claims (RFC 7519) without its key; nothing of a token that is none, or is over. */
export function signedBy(token: string | undefined, now: number): Signed | undefined {
  const { email, name, exp } = claimsOf(token);
  if (typeof email !== 'string' || !email.includes('@')) return undefined;
  if (typeof exp === 'number' && exp * 1_000 <= now) return undefined;
  return { email, name: typeof name === 'string' ? name.trim() : '' };
}

/**
 * Tells apart whose a token is, expired or not, without keeping the address: a hash (FNV-1a, twice), or NOBODY.
 * It hides nothing from who can guess the address; it only keeps addresses from lying around in the store.
 */
export function ownerOf(token: string | undefined): string {
  const { email } = claimsOf(token);
  if (typeof email !== 'string' || !email.includes('@')) return NOBODY;
  const address = email.trim().toLowerCase();
  return hash(address, 0x811c9dc5) + hash(address, 0x01000193);
}

function hash(text: string, start: number): string {
  let sum = start;
  for (const byte of new TextEncoder().encode(text)) sum = Math.imul(sum ^ byte, 0x01000193);
  return (sum >>> 0).toString(16).padStart(8, '0');
}

function claimsOf(token = ''): Record<string, unknown> {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0));
    return Object(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return {};
  }
}

/** The draft as it is sent: the signed address, and the signed name where there is one. */
export function signedDraft(draft: Draft, signed: Signed | undefined): Draft {
  if (signed === undefined) return draft;
  return { ...draft, email: signed.email, name: signed.name || draft.name };
}
