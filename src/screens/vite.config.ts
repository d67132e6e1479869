import { defineConfig } from 'vite';

/** The patient's page: one HTML file, one script, one style sheet, no other host. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../../dist/screens',
    emptyOutDir: true,
    target: 'chrome120',
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});
