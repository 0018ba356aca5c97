import type { ChallengeHook, HeadingLevel, Position, SupportFormProps } from './options';
import { CATEGORIES } from './ticket';

const THEMES = ['auto', 'light', 'dark'] as const;
const REMEMBER = ['session', 'device'] as const;
const LEVELS = [1, 2, 3, 4, 5, 6] as const;
const POSITIONS: readonly Position[] = ['inline', 'bottom-right', 'bottom-left'];

/** Reads the form's settings off its script element. Throws TypeError for an API that is not http(s). */
export function settingsOf(script: HTMLScriptElement): SupportFormProps {
  const { api, lang, name, email, subject, ...rest } = script.dataset;
  return {
    api: apiOf(api, script.src),
    lang: lang || undefined,
    theme: THEMES.find((known) => known === rest.theme),
    remember: REMEMBER.find((known) => known === rest.remember),
    // On a page that is nothing but the form, its heading is the page's.
    headingLevel: LEVELS.find((known) => String(known) === rest.headingLevel) ?? pageLevel(script),
    position: POSITIONS.find((known) => known === rest.position),
    category: CATEGORIES.find((known) => known === rest.category),
    name: name || undefined,
    email: email || undefined,
    subject: subject || undefined,
    identity: identityOf(rest.identity, rest.identityCallback),
    challenge: challengeOf(rest.challengeCallback),
    nonce: script.nonce || rest.nonce || undefined,
  };
}

function pageLevel(script: HTMLScriptElement): HeadingLevel | undefined {
  return script.dataset.page === undefined ? undefined : 1;
}

function apiOf(wish: string | undefined, source: string): string {
  const url = wish ? new URL(wish, document.baseURI) : new URL('/', source || document.baseURI);
  if (!/^https?:$/.test(url.protocol))
    throw new TypeError(`data-api is not http(s): ${url.protocol}`);
  return (url.origin + url.pathname).replace(/\/+$/, '');
}

function identityOf(token: string | undefined, callback: string | undefined) {
  if (callback) return () => functionNamed<[], string>(callback)?.();
  return token || undefined;
}

function challengeOf(callback: string | undefined): ChallengeHook | undefined {
  if (!callback) return undefined;
  return (challenge) => functionNamed<[typeof challenge], string>(callback)?.(challenge) ?? '';
}

type Callback<Given extends unknown[], Result> = (...given: Given) => Result | Promise<Result>;

/** A function of the page by its path from `window`, such as `shop.supportToken`; looked up when needed, never evaluated. */
function functionNamed<Given extends unknown[], Result>(
  path: string,
): Callback<Given, Result> | undefined {
  let found: unknown = window;
  let owner: unknown;
  for (const step of path.split('.')) {
    owner = found;
    found = (found as Record<string, unknown> | null | undefined)?.[step];
  }
  return typeof found === 'function' ? found.bind(owner) : undefined;
}

/** Nothing for what is no selector, too. */
function elementAt(selector: string): Element | null {
  try {
    return document.querySelector(selector);
  } catch {
    return null;
  }
}

/**
 * The element named by `data-target`, or a new one: beside the script, or at the page's end. A target that finds nothing
 * is said on the console: customers keep their form, and the page is not disturbed.
 */
export function placeFor(script: HTMLScriptElement): Element {
  const { target } = script.dataset;
  if (target) {
    const named = elementAt(target);
    if (named) return named;
    console.error(
      `Support form: data-target="${target}" finds no element of this page, so the form stands beside its script. ` +
        'Give a CSS selector, such as "#help", of an element that is in the page when it has been read; for one that ' +
        'is made later set data-manual and call SupportForm.mount.',
    );
  }
  const place = document.createElement('div');
  if (document.body.contains(script)) script.after(place);
  else document.body.append(place);
  return place;
}
