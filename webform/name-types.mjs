/**
 * The last step of the library's build: TypeScript writes declarations that import './x', which Node's
 * own rules of resolution do not find. This names the files, and keeps those alone that index.d.ts needs.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const LIBRARY = resolve(import.meta.dirname, 'dist/lib');
const RELATIVE = /(from\s+|import\()'(\.[^']*)'/g;

/** @type {Set<string>} */
const needed = new Set();

/** @param {string} importer @param {string} name the path without its ending */
function fileOf(importer, name) {
  const place = resolve(dirname(importer), name);
  return existsSync(`${place}.d.ts`) ? place : join(place, 'index');
}

/** @param {string} file without its ending */
function visit(file) {
  if (needed.has(file)) return;
  needed.add(file);
  const path = `${file}.d.ts`;
  const named = readFileSync(path, 'utf8').replace(RELATIVE, (_, before, name) => {
    const target = fileOf(path, name);
    visit(target);
    const back = relative(dirname(path), target).replaceAll('\\', '/');
    return `${before}'${back.startsWith('.') ? back : `./${back}`}.js'`;
  });
  writeFileSync(path, named);
}

visit(join(LIBRARY, 'index'));
for (const entry of readdirSync(LIBRARY, { recursive: true, encoding: 'utf8' })) {
  const path = join(LIBRARY, entry);
  if (path.endsWith('.d.ts') && !needed.has(path.slice(0, -5))) rmSync(path);
}
for (const entry of readdirSync(LIBRARY, { encoding: 'utf8' })) {
  const path = join(LIBRARY, entry);
  if (statSync(path).isDirectory() && readdirSync(path).length === 0)
    rmSync(path, { recursive: true });
}
