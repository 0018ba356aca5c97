import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const BESIDES = ['react', 'react-dom', 'scheduler', 'csstype', '@types/react', '@types/react-dom'];
/** What a visitor downloads for the form, React included. */
const MOST_GZIPPED = 110_000;

let site = '';

/** A project that has installed the packed package, and React beside it. */
beforeAll(() => {
  site = mkdtempSync(join(tmpdir(), 'consumer-'));
  const packed = ['pack', '--ignore-scripts', '--pack-destination', site, '--silent'];
  const tarball = execFileSync('npm', packed, { cwd: ROOT, encoding: 'utf8' }).trim();
  const modules = join(site, 'node_modules');
  mkdirSync(join(modules, 'fte-webform'), { recursive: true });
  const into = ['-xzf', join(site, tarball), '-C', join(modules, 'fte-webform'), '--strip', '1'];
  execFileSync('tar', into);
  for (const name of BESIDES) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  writeFileSync(join(site, 'package.json'), '{ "type": "module" }');
  cpSync(join(import.meta.dirname, 'consumer.tsx'), join(site, 'consumer.tsx'));
});
afterAll(() => rmSync(site, { recursive: true }));

function installed(): string[] {
  const folder = join(site, 'node_modules/fte-webform');
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return entries.filter((entry) => statSync(join(folder, entry)).isFile());
}

describe('the packed package', () => {
  it('holds the built files and its page, and neither sources nor tests', () => {
    const files = installed();
    expect(files).toEqual(
      expect.arrayContaining(['README.md', 'package.json', 'dist/widget.js', 'dist/lib/index.js']),
    );
    expect(files.filter((file) => /^(src|tests)\b|\.map$|index\.html/.test(file))).toEqual([]);
  });

  it.each([
    ['bundler', 'esnext'],
    ['nodenext', 'nodenext'],
  ])('has types that a project of module resolution %s compiles against', (resolution, module) => {
    const options = {
      target: 'es2022',
      lib: ['es2022', 'dom', 'dom.iterable'],
      jsx: 'react-jsx',
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: false,
      types: [],
      moduleResolution: resolution,
      module,
    };
    const config = { compilerOptions: options, include: ['consumer.tsx'] };
    writeFileSync(join(site, 'tsconfig.json'), JSON.stringify(config));
    const compiler = join(ROOT, 'node_modules/.bin/tsc');
    expect(() => execFileSync(compiler, ['-p', site], { encoding: 'utf8' })).not.toThrow();
  });

  it('brings no React of its own, and can be rendered on a server', () => {
    const script = `
      import { createElement } from 'react';
      import { renderToString } from 'react-dom/server';
      import { SupportForm } from 'fte-webform';
      console.log(renderToString(createElement(SupportForm, { api: 'https://support.example.com' })));
    `;
    writeFileSync(join(site, 'server.mjs'), script);
    const html = execFileSync(process.execPath, ['server.mjs'], { cwd: site, encoding: 'utf8' });
    expect(html.trim()).toBe(
      '<div data-support-form="" data-theme="auto" data-position="inline"></div>',
    );
    const library = readFileSync(join(ROOT, 'dist/lib/index.js'), 'utf8');
    expect(library).not.toContain('react.production');
  });

  it('evaluates no text as code, and stays small', () => {
    const widget = readFileSync(join(ROOT, 'dist/widget.js'));
    expect(widget.toString()).not.toMatch(/\beval\(|new Function\(/);
    expect(gzipSync(widget).length).toBeLessThan(MOST_GZIPPED);
  });
});
