import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'jsdom',
    environmentOptions: { jsdom: { url: 'https://shop.example.com/contact' } },
    include: ['tests/**/*.test.{ts,tsx}'],
    setupFiles: ['tests/setup.ts'],
    // setup.ts leaves nothing behind, and a browser for each file is most of the time.
    isolate: false,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
