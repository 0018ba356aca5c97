import { describe, expect, it, vi } from 'vitest';
import { languageFor, STRINGS } from '../src/strings';

/** Every word of a dictionary, with its place in it. */
function words(value: unknown, place = ''): [string, string][] {
  if (typeof value === 'string') return [[place, value]];
  if (typeof value === 'function') return [1, 2, 200].map((n) => [`${place}(${n})`, value(n)]);
  return Object.entries(value as object).flatMap(([key, inner]) => words(inner, `${place}.${key}`));
}

describe('languages', () => {
  it.each(Object.keys(STRINGS))('%s has a word for everything', (language) => {
    const all = words(STRINGS[language as keyof typeof STRINGS]);
    expect(all.filter(([, word]) => word.trim() === '')).toEqual([]);
    expect(all.map(([place]) => place)).toEqual(words(STRINGS.en).map(([place]) => place));
  });

  it('are chosen by wish, then by the page, then by the browser', () => {
    vi.spyOn(navigator, 'languages', 'get').mockReturnValue(['es-MX', 'en']);
    expect(languageFor('de-AT', 'fr')).toBe('de');
    expect(languageFor(undefined, 'fr')).toBe('fr');
    expect(languageFor(undefined, '')).toBe('es');
    expect(languageFor('auto', 'fr')).toBe('es');
    expect(languageFor('tlh', 'fr')).toBe('es');
  });

  it('end in English', () => {
    vi.spyOn(navigator, 'languages', 'get').mockReturnValue(['ja']);
    expect(languageFor('constructor', '')).toBe('en');
  });
});
