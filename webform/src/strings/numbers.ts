/** Words for each plural form of a language; `#` is the number, in the language's digits. */
export type Forms = { other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;

/** Numbers of one language, by the rules of Intl: plural forms, digits, sizes and spans of time. */
export function numbersOf(language: string) {
  const rules = new Intl.PluralRules(language);
  const whole = new Intl.NumberFormat(language);
  const unit = (name: string, digits = 0) =>
    new Intl.NumberFormat(language, {
      style: 'unit',
      unit: name,
      unitDisplay: name.endsWith('byte') ? 'short' : 'long',
      maximumFractionDigits: digits,
    });
  return {
    count: (forms: Forms) => (n: number) =>
      (forms[rules.select(n)] ?? forms.other).replace('#', whole.format(n)),
    number: (n: number) => whole.format(n),
    /** `1.5 MB`, with 1,000 bytes to a kilobyte, as `kB` and `MB` mean and as the server's limits are set. */
    size: (bytes: number) =>
      bytes < 1_000_000
        ? unit('kilobyte').format(Math.max(1, Math.ceil(bytes / 1000)))
        : unit('megabyte', 1).format(bytes / 1_000_000),
    /** `30 seconds`, and whole minutes from 90 seconds on. */
    duration: (seconds: number) =>
      seconds >= 90
        ? unit('minute').format(Math.ceil(seconds / 60))
        : unit('second').format(seconds),
  };
}
