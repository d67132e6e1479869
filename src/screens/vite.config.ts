import { defineConfig } from 'vite';

/** The patient's page: one HTML file, one script, one style sheet, fonts of its own, no other host. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  // Fonts, written there by scripts/generate/cut-page-fonts.ts.
  publicDir: '../../.cache/page',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    rollupOptions: { input: ['index.html', 'waiting.html'].map((name) => `${import.meta.dirname}/${name}`) },
    outDir: '../../dist/screens',
    emptyOutDir: true,
    target: 'chrome120',
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});
