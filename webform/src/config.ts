/** What the server tells a page beforehand; every number has a default, for a server that tells none. */
export interface Config {
  /** Most bytes of one file. */
  maxFileBytes: number;
  /** Most bytes of all files of one message together. */
  maxUploadBytes: number;
  /** Most files of one message. */
  maxFiles: number;
  /** Milliseconds a form has to be open before it is sent. */
  minMs: number;
  challenge: Challenge | null;
  /** Whether a typed address is mailed a link that confirms it. */
  mailsLink: boolean;
}

/** A proof of being a person that the embedding site obtains, such as a captcha's token. */
export interface Challenge {
  kind: string;
  site_key: string;
}

/** What a server that was not told otherwise has: what is shown before it answers is then shown after. */
export const DEFAULTS: Config = {
  maxFileBytes: 10_000_000,
  maxUploadBytes: 26_000_000,
  maxFiles: 5,
  minMs: 0,
  challenge: null,
  mailsLink: true,
};

export function parseConfig(body: unknown): Config {
  const told = (body ?? {}) as Record<string, unknown>;
  const { max_file_bytes, max_upload_bytes, max_files, min_ms, challenge, mails_link } = told;
  return {
    maxFileBytes: numberOr(max_file_bytes, DEFAULTS.maxFileBytes),
    maxUploadBytes: numberOr(max_upload_bytes, DEFAULTS.maxUploadBytes),
    maxFiles: numberOr(max_files, DEFAULTS.maxFiles),
    minMs: numberOr(min_ms, DEFAULTS.minMs),
    challenge: challengeOf(challenge),
    mailsLink: mails_link !== false,
  };
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === 'number' && value >= 0 ? value : fallback;
}

function challengeOf(value: unknown): Challenge | null {
  const { kind, site_key } = (value ?? {}) as Partial<Record<keyof Challenge, unknown>>;
  if (typeof kind !== 'string') return null;
  return { kind, site_key: typeof site_key === 'string' ? site_key : '' };
}
