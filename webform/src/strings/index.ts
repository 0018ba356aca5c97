import { ar } from './ar';
import { de } from './de';
import { en } from './en';
import { es } from './es';
import { fr } from './fr';
import { ur } from './ur';

export type { Strings } from './dictionary';

export const STRINGS = { en, de, es, fr, ar, ur } as const;
export type Language = keyof typeof STRINGS;

const RIGHT_TO_LEFT: readonly Language[] = ['ar', 'ur'];

export function directionOf(language: Language): 'ltr' | 'rtl' {
  return RIGHT_TO_LEFT.includes(language) ? 'rtl' : 'ltr';
}

/** The first wish there are words for (`de-AT` finds `de`), else English. `auto` asks the browser. */
export function languageFor(wish: string | undefined, pageLanguage: string): Language {
  const browser = navigator.languages ?? [];
  const wishes = wish === 'auto' ? browser : [wish ?? pageLanguage, ...browser];
  const bases = wishes.map((tag) => tag.toLowerCase().split('-')[0] ?? '');
  return bases.find((base): base is Language => Object.hasOwn(STRINGS, base)) ?? 'en';
}
