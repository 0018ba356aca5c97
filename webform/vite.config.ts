import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';

const API_IN_DEVELOPMENT = process.env.FTE_API ?? 'http://127.0.0.1:8787';

/** The page allows its own script and its own style, and talks to its own origin alone. */
function contentSecurityPolicy(html: string): string {
  const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'sha256-${hash}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** Writes dist/index.html beside widget.js; while developing, the same page loads the sources. */
function page(): Plugin {
  return {
    name: 'page',
    transformIndexHtml: {
      order: 'pre',
      handler: (html) =>
        html.replace('src="./widget.js"', 'src="/src/widget.ts" type="module" data-support-form'),
    },
    generateBundle() {
      const html = readFileSync(new URL('./index.html', import.meta.url), 'utf8');
      const policy = contentSecurityPolicy(html);
      const meta = `<meta http-equiv="Content-Security-Policy" content="${policy}">`;
      this.emitFile({
        type: 'asset',
        fileName: 'index.html',
        source: html.replace('<!-- content-security-policy -->', meta),
      });
    },
  };
}

export default defineConfig(({ command }) => ({
  plugins: [page()],
  // Library builds leave this to the bundler of the user; a script tag has none.
  define: command === 'build' ? { 'process.env.NODE_ENV': '"production"' } : {},
  server: { proxy: { '/tickets': API_IN_DEVELOPMENT, '/config': API_IN_DEVELOPMENT } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    lib: {
      entry: 'src/widget.ts',
      formats: ['iife'],
      name: 'SupportForm',
      fileName: () => 'widget.js',
    },
  },
}));
