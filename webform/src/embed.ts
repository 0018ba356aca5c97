import type { SupportFormProps } from './components/SupportForm';

const THEMES = ['auto', 'light', 'dark'] as const;
const REMEMBER = ['session', 'device'] as const;

/** Reads the form's settings off its script element. Throws TypeError for an API that is not http(s). */
export function settingsOf(script: HTMLScriptElement): SupportFormProps {
  const { api, lang, theme, remember } = script.dataset;
  return {
    api: apiOf(api, script.src),
    lang: lang || undefined,
    theme: THEMES.find((known) => known === theme),
    remember: REMEMBER.find((known) => known === remember),
  };
}

function apiOf(wish: string | undefined, source: string): string {
  const url = wish ? new URL(wish, document.baseURI) : new URL('/', source || document.baseURI);
  if (!/^https?:$/.test(url.protocol))
    throw new TypeError(`data-api is not http(s): ${url.protocol}`);
  return (url.origin + url.pathname).replace(/\/+$/, '');
}

/** The element named by `data-target`, or a new one: beside the script, or at the page's end. */
export function placeFor(script: HTMLScriptElement): Element {
  const { target } = script.dataset;
  if (target) {
    const named = document.querySelector(target);
    if (named === null) throw new TypeError(`data-target finds nothing: ${target}`);
    return named;
  }
  const place = document.createElement('div');
  if (document.body.contains(script)) script.after(place);
  else document.body.append(place);
  return place;
}
