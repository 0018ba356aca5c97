import { describe, expect, it, vi } from 'vitest';
import { exactly, whenOf } from '../src/when';

const NOW = Date.parse('2026-11-02T12:00:00Z');
const ago = (minutes: number) => new Date(NOW - minutes * 60_000).toISOString();

describe('when something was written', () => {
  it.each([
    [0, 'now'],
    [1, '1 minute ago'],
    [59, '59 minutes ago'],
  ])('%i minutes ago is "%s"', (minutes, words) => {
    expect(whenOf(ago(minutes), 'en', NOW)).toBe(words);
  });

  it('is the time alone earlier today, and the day with it before that', () => {
    vi.spyOn(navigator, 'languages', 'get').mockReturnValue(['en-GB']);
    expect(whenOf(ago(120), 'en', NOW)).toMatch(/^\d\d:\d\d$/);
    expect(whenOf(ago(60 * 48), 'en', NOW)).toMatch(/31 Oct.*\d\d:\d\d/);
  });

  it('speaks the language, with its plural forms', () => {
    vi.spyOn(navigator, 'languages', 'get').mockReturnValue([]);
    expect(whenOf(ago(5), 'de', NOW)).toBe('vor 5 Minuten');
    expect(whenOf(ago(2), 'ar', NOW)).toBe('قبل دقيقتين');
    expect(whenOf(ago(5), 'ur', NOW)).toContain('منٹ پہلے');
  });

  it('does not speak of the future when a clock is a little fast', () => {
    expect(whenOf(ago(-2), 'en', NOW)).toBe('now');
  });

  it('is nothing for what is no date', () => {
    expect(whenOf('yesterday', 'en', NOW)).toBe('');
    expect(exactly('yesterday', 'en')).toBeUndefined();
    expect(exactly(ago(0), 'en')).toContain('2026');
  });
});
