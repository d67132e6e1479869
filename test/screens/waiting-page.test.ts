import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { expect, it } from 'vitest';
import { chromiumEnvironment, chromiumFlags, chromiumPath } from '../../scripts/screens/screens-browser.ts';

const hasChromium = existsSync(chromiumPath);
if (!hasChromium) console.warn(`skipped: the kiosk's waiting page in a browser (${chromiumPath} is not installed)`);

const file = join(import.meta.dirname, '..', '..', 'src', 'screens', 'waiting.html');
const begin = () => chromium.launch({ executablePath: chromiumPath, args: chromiumFlags, env: chromiumEnvironment });
/** A port that nobody listens on yet */
const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};

it.skipIf(!hasChromium)('shows our words while the terminal is away, and its page as soon as it is there', async () => {
  const port = await freePort();
  const browser = await begin();
  const page = await browser.newPage();
  await page.goto(`file://${file}#${port}`);
  expect(await page.textContent('h1')).toBe('準備しています');
  const terminal = createServer((_request, response) => response.end('<h1>terminal</h1>'));
  await new Promise<void>((resolve) => terminal.listen(port, '127.0.0.1', resolve));
  await expect.poll(() => page.textContent('h1'), { timeout: 60_000 }).toBe('terminal');
  await browser.close();
  await new Promise((resolve) => terminal.close(resolve));
});

it.skipIf(!hasChromium)(
  'counts the seconds down that the last start took, in two languages, and says no number once they are over',
  async () => {
    const browser = await begin();
    const page = await browser.newPage();
    const nowMs = Date.UTC(2026, 10, 30, 0, 0);
    // The clock is stopped before the page is there, however slow the machine.
    await page.clock.install({ time: nowMs - 3_600_000 });
    await page.clock.pauseAt(nowMs);
    await page.goto(`file://${file}?ready=${nowMs / 1_000 + 12}#${await freePort()}`);
    const left = () => Promise.all(['#left-ja', '#left-en'].map((id) => page.locator(id).textContent()));
    expect(await left()).toEqual(['あと約15秒です。', 'About 15 seconds left.']);
    await page.clock.runFor(5_000);
    expect(await left()).toEqual(['あと約10秒です。', 'About 10 seconds left.']);
    await page.clock.runFor(5_000);
    expect(await left()).toEqual(['あと約5秒です。', 'About 5 seconds left.']);
    await page.clock.runFor(5_000);
    expect(await left()).toEqual(['', '']);
    await browser.close();
  },
);
