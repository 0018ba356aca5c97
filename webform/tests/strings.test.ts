import { describe, expect, it, vi } from 'vitest';
import { directionOf, type Language, languageFor, STRINGS } from '../src/strings';
import { numbersOf } from '../src/strings/numbers';

const LANGUAGES = Object.keys(STRINGS) as Language[];
const OTHERS = LANGUAGES.filter((language) => language !== 'en');
const COUNTS = [1, 2, 3, 11, 200];

/** Every word of a dictionary, with its place in it. */
function words(value: unknown, place = ''): [string, string][] {
  if (typeof value === 'string') return [[place, value]];
  if (typeof value === 'function') {
    const given = /limits|tooMany|left|over|summary|news/.test(place) ? COUNTS : ['…'];
    return given.map((n) => [`${place}(${n})`, value(n, '…')]);
  }
  return Object.entries(value as object).flatMap(([key, inner]) => words(inner, `${place}.${key}`));
}

describe('languages', () => {
  it('are six', () => {
    expect(LANGUAGES).toEqual(['en', 'de', 'es', 'fr', 'ar', 'ur']);
  });

  it.each(LANGUAGES)('%s has a word for everything', (language) => {
    const all = words(STRINGS[language]);
    expect(all.filter(([, word]) => word.trim() === '' || word.includes('#'))).toEqual([]);
    expect(all.map(([place]) => place)).toEqual(words(STRINGS.en).map(([place]) => place));
  });

  it.each(OTHERS)('%s has nothing left in English', (language) => {
    const english = new Map(words(STRINGS.en));
    const same = words(STRINGS[language]).filter(([place, word]) => english.get(place) === word);
    expect(same).toEqual([]);
  });

  it.each(['ar', 'ur'] as const)('%s is written in its own letters alone', (language) => {
    const examples = /name@example\.com/g;
    const foreign = words(STRINGS[language]).filter(([, word]) =>
      /\p{Script=Latin}/u.test(word.replace(examples, '')),
    );
    expect(foreign).toEqual([]);
  });

  it.each(LANGUAGES)(
    '%s keeps what runs left to right together in a right-to-left line',
    (language) => {
      if (directionOf(language) === 'ltr') return;
      const runs = words(STRINGS[language]).filter(([, word]) => /[+@]/.test(word));
      expect(runs.length).toBeGreaterThan(1);
      expect(runs.filter(([, word]) => !/\u2066[^\u2069]*[+@][^\u2069]*\u2069/.test(word))).toEqual(
        [],
      );
    },
  );

  it('run in their own direction', () => {
    expect(LANGUAGES.filter((language) => directionOf(language) === 'rtl')).toEqual(['ar', 'ur']);
  });

  it('are chosen by wish, then by the page, then by the browser', () => {
    vi.spyOn(navigator, 'languages', 'get').mockReturnValue(['es-MX', 'en']);
    expect(languageFor('de-AT', 'fr')).toBe('de');
    expect(languageFor(undefined, 'fr')).toBe('fr');
    expect(languageFor(undefined, '')).toBe('es');
    expect(languageFor('auto', 'fr')).toBe('es');
    expect(languageFor('tlh', 'fr')).toBe('es');
    expect(languageFor('ar-EG', 'fr')).toBe('ar');
    expect(languageFor('ur-PK', 'fr')).toBe('ur');
  });

  it('end in English', () => {
    vi.spyOn(navigator, 'languages', 'get').mockReturnValue(['ja']);
    expect(languageFor('constructor', '')).toBe('en');
  });
});

describe('numbers', () => {
  it('take the plural form of the language, all six of Arabic', () => {
    const forms = COUNTS.map((n) => STRINGS.ar.summary(n));
    expect(new Set(forms.map((form) => form.replace(/[\d٠-٩]+/, '')))).toHaveProperty('size', 5);
    expect(STRINGS.ar.left(0)).toBe('لم يبقَ أي حرف');
    expect(STRINGS.en.left(1)).toBe('1 character left');
    expect(STRINGS.fr.left(0)).toMatch(/^reste 0 /);
    expect(STRINGS.de.left(12_345)).toBe('noch 12.345 Zeichen');
  });

  it('say sizes and spans of time in the language', () => {
    const english = numbersOf('en');
    expect(english.size(500)).toBe('1 kB');
    expect(english.size(10_000_000)).toBe('10 MB');
    expect(english.size(999_999)).toBe('1,000 kB');
    expect(english.size(1_468_007)).toBe('1.5 MB');
    expect(english.duration(1)).toBe('1 second');
    expect(english.duration(89)).toBe('89 seconds');
    expect(english.duration(91)).toBe('2 minutes');
    expect(numbersOf('de').duration(600)).toBe('10 Minuten');
    expect(numbersOf('fr').size(1_468_007)).toMatch(/^1,5\sMo$/);
  });
});
