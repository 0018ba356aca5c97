/** What a site may say about the form it embeds; the script's `data-…` attributes say the same. */
import type { Challenge } from './config';
import type { Remember } from './memory';
import type { Category } from './ticket';

export type Theme = 'auto' | 'light' | 'dark';

/** `inline`: where it is put. The others: behind a button in that corner of the window. */
export type Position = 'inline' | 'bottom-right' | 'bottom-left';

export type HeadingLevel = 1 | 2 | 3 | 4 | 5 | 6;

/** A signed token for who is writing, or what gives one (nothing: nobody is signed in). */
export type Identity =
  | string
  | (() => string | null | undefined | Promise<string | null | undefined>);

/** Obtains a proof that a person is writing, such as a captcha's token. */
export type ChallengeHook = (challenge: Challenge) => string | Promise<string>;

export interface SupportFormProps {
  /** The address in front of `/tickets`, such as `https://support.example.com`. */
  api: string;
  /** A language tag, or `auto` for the browser's. Default: the page's own. */
  lang?: string | undefined;
  /** Default `auto`: as the visitor's device has it. */
  theme?: Theme | undefined;
  /** Default `inline`. */
  position?: Position | undefined;
  /** The level of the form's own heading on the page, 1 to 6. Default 2. */
  headingLevel?: HeadingLevel | undefined;
  /** How long the open conversation is kept on this device. Default `session`. */
  remember?: Remember | undefined;
  /** What the fields hold at first; what the customer typed comes before it. */
  category?: Category | undefined;
  name?: string | undefined;
  email?: string | undefined;
  subject?: string | undefined;
  /** Asked for at each sending, so a short-lived token may be made then. */
  identity?: Identity | undefined;
  /** Needed only where the server asks for a proof. */
  challenge?: ChallengeHook | undefined;
  /** For browsers without constructable style sheets, under a policy that asks for a nonce. */
  nonce?: string | undefined;
}
