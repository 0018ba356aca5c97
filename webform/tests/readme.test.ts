import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { settingsOf } from '../src/embed';

const ROOT = resolve(import.meta.dirname, '..');
const README = readFileSync(resolve(ROOT, 'README.md'), 'utf8');
const EMBED = readFileSync(resolve(ROOT, 'src/embed.ts'), 'utf8');
const WIDGET = readFileSync(resolve(ROOT, 'src/widget.ts'), 'utf8');

const dashed = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

describe('the README', () => {
  it('names every property of the component', () => {
    const script = document.createElement('script');
    const properties = Object.keys(settingsOf(script));
    expect(properties.length).toBeGreaterThan(10);
    expect(properties.filter((name) => !README.includes(`\`${name}\``))).toEqual([]);
  });

  it('names every attribute of the script element', () => {
    const read = [...`${EMBED}${WIDGET}`.matchAll(/(?:rest|dataset)\.(\w+)/g)].map(
      ([, name]) => name,
    );
    const taken = [...EMBED.matchAll(/const \{ ([\w, ]+?)(?:, \.\.\.rest)? \} = script\.dataset/g)];
    const names = [...read, ...taken.flatMap(([, list]) => list?.split(', '))];
    expect(names.length).toBeGreaterThan(12);
    expect(names.filter((name) => !README.includes(`\`data-${dashed(name ?? '')}\``))).toEqual([]);
  });

  it('names every custom property that the styles read', () => {
    const styles = ['tokens', 'base'].map((name) =>
      readFileSync(resolve(ROOT, `src/styles/${name}.css`), 'utf8'),
    );
    const read = new Set(styles.join('').match(/--fte-[\w-]+/g));
    expect(read.size).toBeGreaterThan(10);
    expect([...read].filter((name) => !README.includes(`\`${name}\``))).toEqual([]);
  });
});
