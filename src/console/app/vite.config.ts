import { defineConfig } from 'vite';

export default defineConfig({
  // Links are relative, because the console may be behind a path prefix.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../page',
    emptyOutDir: true,
    target: 'es2022',
    // The polyfill writes markup, which Trusted Types forbid, and modern browsers do not need it.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
});
