import type { Desk } from './desk';
import { Failure } from './failure';
import type { OpenTicket } from './memory';
import type { Draft, Extras } from './ticket';

/** A slow server must not hold back a message only to tell limits. */
const CONFIG_PATIENCE_MS = 1_500;

/** What the page knows of a sending besides the fields. */
export interface Visit {
  /** When (epoch ms) the form was first seen. */
  opened: number;
  /** What stands in the field that nobody sees. */
  trap: string;
  /** After a refusal the customer may go on as somebody unknown. */
  anonymous: boolean;
  /** The token that went along with a try of the sending with this key. Kept here alone, in no store. */
  vouched?: { key: string; token: string };
}

/** Sends a draft once and opens its ticket. Throws Failure. */
export async function openTicket(
  draft: Draft,
  key: string,
  visit: Visit,
  desk: Desk,
  files = 0,
): Promise<OpenTicket> {
  const ref = await create(draft, key, visit, desk, files).catch(async (error: unknown) => {
    if (!renewable(error, desk)) throw error;
    // The proof or the token was perhaps only old: both are made anew, once.
    return create(draft, key, visit, desk, files);
  });
  const sent = { text: draft.message.trim(), at: new Date().toISOString() };
  return { ...ref, subject: draft.subject.trim(), sent };
}

function renewable(error: unknown, { identity, challenge }: Desk): boolean {
  if (!(error instanceof Failure)) return false;
  if (error.kind === 'challenged') return challenge !== undefined;
  return error.kind === 'identity' && typeof identity === 'function';
}

async function create(draft: Draft, key: string, visit: Visit, desk: Desk, files: number) {
  const extras = await extrasFor(visit, key, desk);
  return desk.api.create(draft, { ...extras, ...(files > 0 && { files }) }, key);
}

async function extrasFor(visit: Visit, key: string, desk: Desk): Promise<Extras> {
  const { opened, trap } = visit;
  const config = await Promise.race([desk.config(), later(CONFIG_PATIENCE_MS)]);
  const early = opened + (config?.minMs ?? 0) - Date.now();
  if (early > 0) await later(early);
  const challenge = config?.challenge && (await desk.challenge?.(config.challenge));
  const identity = await vouchedFor(visit, key, desk);
  return {
    ...(identity && { identity }),
    page: { trap, opened_ms: Date.now() - opened, ...(challenge && { challenge }) },
  };
}

/** A try keeps the trust of the one before it: as somebody unknown it would open a second ticket. */
async function vouchedFor(visit: Visit, key: string, desk: Desk): Promise<string | undefined> {
  if (visit.anonymous) return undefined;
  const former = visit.vouched?.key === key ? visit.vouched.token : undefined;
  const token = (await identityOf(desk)) ?? former;
  if (token !== undefined) visit.vouched = { key, token };
  return token;
}

/** A site that cannot say who is signed in must not keep the customer from writing. */
export async function identityOf({
  identity,
}: Pick<Desk, 'identity'>): Promise<string | undefined> {
  try {
    return (typeof identity === 'function' ? await identity() : identity) || undefined;
  } catch {
    return undefined;
  }
}

function later(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), milliseconds));
}
