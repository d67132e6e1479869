import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';

/** How every script here starts Chromium: no window, no network of its own. */
export const chromiumFlags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
export const chromiumPath = '/usr/bin/chromium';

/** No font of the machine: what the product's own do not draw is not drawn (scripts/generate/cut-page-fonts.ts). */
const fontsOfOurs = join(import.meta.dirname, '..', '..', '.cache', 'page', 'fonts', 'fonts.conf');
const inherited = Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
export const chromiumEnvironment = { ...Object.fromEntries(inherited), FONTCONFIG_FILE: fontsOfOurs };

/** A fresh Chromium on the patient's page, with the measuring script and axe inside. Moving pictures stand still. */
export const openBrowser = async (
  port: number,
): Promise<{ readonly page: Page; readonly close: () => Promise<void> }> => {
  const profile = mkdtempSync(join(tmpdir(), 'uketsuke-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath,
    args: chromiumFlags,
    env: chromiumEnvironment,
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
  });
  await context.addInitScript({ path: join(import.meta.dirname, 'screens-in-page.js') });
  await context.addInitScript({ path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') });
  const page = context.pages()[0] ?? (await context.newPage());
  page.on('pageerror', (error) => process.stderr.write(`screens: page error: ${error.message}\n`));
  await page.goto(`http://127.0.0.1:${port}/`);
  return {
    page,
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
};
