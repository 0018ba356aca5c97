import { describe, expect, it } from 'vitest';
import { linkify } from '../src/linkify';

const links = (text: string) => linkify(text).flatMap(({ href }) => href ?? []);

describe('addresses in plain text', () => {
  it('gives back every character of the text', () => {
    const text = 'See (https://help.example.com/a_(b)), or http://example.org/?q=1. Bye';
    expect(
      linkify(text)
        .map((piece) => piece.text)
        .join(''),
    ).toBe(text);
  });

  it.each([
    ['Go to https://help.example.com/x.', 'https://help.example.com/x'],
    ['(see https://help.example.com/x)', 'https://help.example.com/x'],
    ['https://help.example.com/a_(b)', 'https://help.example.com/a_(b)'],
    ['[https://help.example.com/x]!', 'https://help.example.com/x'],
    ['"https://help.example.com/x"', 'https://help.example.com/x'],
    ['HTTPS://HELP.EXAMPLE.COM/x', 'https://help.example.com/x'],
  ])('leaves what belongs to the sentence out: %s', (text, href) => {
    expect(links(text)).toEqual([href]);
  });

  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'ftp://example.com/x',
    'mailto:ada@example.com',
    'https://',
    'https://bank.example@evil.example/',
    'https://user:pass@example.com/',
  ])('makes no link of %s', (text) => {
    expect(links(text)).toEqual([]);
  });

  it('ends an address at a character that turns the reading direction', () => {
    expect(links('https://example.com/\u202egnp.exe')).toEqual(['https://example.com/']);
  });
});
