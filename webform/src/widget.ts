/** The script of `<script src="…/widget.js">`: it mounts the form where it stands. */
import { placeFor, settingsOf } from './embed';
import { mount } from './mount';
import { directionOf, languageFor, STRINGS } from './strings';

export { mount };

/** On a page that is nothing but the form, the page speaks the form's language. */
function adoptPage(lang: string | undefined): void {
  const language = languageFor(lang, document.documentElement.lang);
  document.documentElement.lang = language;
  document.documentElement.dir = directionOf(language);
  document.title = STRINGS[language].heading;
}

function start(script: HTMLScriptElement): void {
  const settings = settingsOf(script);
  if (script.dataset.page !== undefined) adoptPage(settings.lang);
  mount(placeFor(script), settings);
}

// A module script is not `currentScript`; it is found by its mark.
const script =
  document.currentScript ?? document.querySelector<HTMLScriptElement>('script[data-support-form]');

if (script instanceof HTMLScriptElement && script.dataset.manual === undefined) {
  // Targets below the script exist only once the page is read.
  if (document.readyState === 'loading') {
    document.addEventListener('DOMContentLoaded', () => start(script), { once: true });
  } else start(script);
}
