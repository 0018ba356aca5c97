import { defineConfig } from 'vitest/config';

/** Runs the built widget in a real Chromium against the fake API: `npm run build` first. */
export default defineConfig({
  test: {
    environment: 'node',
    include: ['tests/{browser,package}/*.browser.ts'],
    testTimeout: 60_000,
    hookTimeout: 30_000,
    // Each file has a browser of its own.
    maxWorkers: 2,
  },
});
