import { FIELDS, type FieldName, isOneOf } from './ticket';

/**
 * Why a request came to nothing, as far as the customer can act on it.
 *
 * - `offline`: this device has no connection
 * - `unreachable`: no answer, or none in time
 * - `unavailable`: 5xx
 * - `rate_limited`: 429
 * - `too_large`: 413
 * - `refused`: another 4xx; `field` names the field when one is at fault
 * - `not_found`: 404 from the API itself: no such ticket, or not with this token
 * - `closed`: 409: the conversation takes nothing more
 * - `trapped`: the hidden field was filled in, as robots do
 * - `too_fast`: sent sooner than a person can write
 * - `challenged`: the proof of being a person is missing or was not accepted
 * - `identity`: the embedding site's word for the customer was not accepted
 * - `unexpected`: an answer that is none of the API's
 */
export type FailureKind =
  | 'offline'
  | 'unreachable'
  | 'unavailable'
  | 'rate_limited'
  | 'too_large'
  | 'refused'
  | 'not_found'
  | 'closed'
  | 'trapped'
  | 'too_fast'
  | 'challenged'
  | 'identity'
  | 'unexpected';

interface FailureDetail {
  field?: FieldName | undefined;
  /** The server's own words, in English. */
  serverMessage?: string | undefined;
  retryAfterMs?: number | undefined;
}

export class Failure extends Error {
  readonly kind: FailureKind;
  readonly field: FieldName | undefined;
  readonly serverMessage: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(kind: FailureKind, detail: FailureDetail = {}) {
    super(kind);
    this.name = 'Failure';
    this.kind = kind;
    this.field = detail.field;
    this.serverMessage = detail.serverMessage;
    this.retryAfterMs = detail.retryAfterMs;
  }

  /** Whether the very same request may succeed later, without the customer's doing. */
  get passing(): boolean {
    return PASSING.includes(this.kind);
  }
}

const PASSING: readonly FailureKind[] = [
  'offline',
  'unreachable',
  'unavailable',
  'rate_limited',
  'too_fast',
];

export function networkFailure(): Failure {
  return new Failure(navigator.onLine === false ? 'offline' : 'unreachable');
}

/** Reads `Retry-After` in both of its forms, seconds and a date (RFC 9110, 10.2.3), as milliseconds. */
export function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null || header.trim() === '') return undefined;
  const seconds = Number(header);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now;
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

function kindOf(status: number, fromApi: boolean): FailureKind {
  if (status === 409) return 'closed';
  if (status === 413) return 'too_large';
  if (status === 429) return 'rate_limited';
  // A gateway's own 404, while a service wakes, says nothing about the ticket.
  if (status === 404) return fromApi ? 'not_found' : 'unavailable';
  if (status >= 500) return 'unavailable';
  return status >= 400 ? 'refused' : 'unexpected';
}

interface ErrorBody {
  reason?: unknown;
  field?: unknown;
  message?: unknown;
}

const ABOUT_THE_PAGE: [RegExp, FailureKind][] = [
  [/trap|honeypot/, 'trapped'],
  [/opened.?ms|min(imum)?.?(ms|time)|too.?(fast|soon|quick)/, 'too_fast'],
  [/challenge/, 'challenged'],
  [/identity/, 'identity'],
];

/** Refusals that concern the page and not what was typed into it; a 5xx is never one. */
function pageKindOf(status: number, { field, reason }: ErrorBody): FailureKind | undefined {
  if (status < 400 || status >= 500) return undefined;
  const about = `${field} ${reason}`.toLowerCase();
  return ABOUT_THE_PAGE.find(([words]) => words.test(about))?.[1];
}

/** Turns an answer that is not 2xx into a Failure; `body` is its JSON, or undefined. */
export function failureOf(response: Pick<Response, 'status' | 'headers'>, body: unknown): Failure {
  const error = (body as { error?: ErrorBody | null } | undefined)?.error ?? undefined;
  const fromApi = typeof error === 'object';
  const kind = (fromApi && pageKindOf(response.status, error)) || kindOf(response.status, fromApi);
  return new Failure(kind, {
    field: isOneOf(FIELDS, error?.field) ? error.field : undefined,
    serverMessage: typeof error?.message === 'string' ? error.message : undefined,
    retryAfterMs: retryAfter(response.headers.get('Retry-After'), Date.now()),
  });
}
