import { defineConfig } from 'vite';

/** The component for sites that bring their own React. */
export default defineConfig({
  build: {
    outDir: 'dist/lib',
    emptyOutDir: true,
    minify: false,
    lib: { entry: 'src/index.ts', formats: ['es'], fileName: () => 'index.js' },
    rolldownOptions: { external: [/^react($|\/)/, /^react-dom($|\/)/] },
  },
});
