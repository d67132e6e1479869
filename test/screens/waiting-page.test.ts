import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { expect, it } from 'vitest';
import { chromiumEnvironment, chromiumFlags, chromiumPath } from '../../scripts/screens/screens-browser.ts';

const hasChromium = existsSync(chromiumPath);
if (!hasChromium) console.warn(`skipped: the kiosk's waiting page in a browser (${chromiumPath} is not installed)`);

it.skipIf(!hasChromium)(
  'shows our words while the terminal is away, and its page as soon as it is there',
  { timeout: 60_000 },
  async () => {
    // A port that nobody listens on yet.
    const first = createServer();
    await new Promise<void>((resolve) => first.listen(0, '127.0.0.1', resolve));
    const { port } = first.address() as AddressInfo;
    await new Promise((resolve) => first.close(resolve));
    const browser = await chromium.launch({
      executablePath: chromiumPath,
      args: chromiumFlags,
      env: chromiumEnvironment,
    });
    const page = await browser.newPage();
    const file = join(import.meta.dirname, '..', '..', 'src', 'screens', 'waiting.html');
    await page.goto(`file://${file}#${port}`);
    expect(await page.textContent('h1')).toBe('準備しています');
    const terminal = createServer((_request, response) => response.end('<h1>terminal</h1>'));
    await new Promise<void>((resolve) => terminal.listen(port, '127.0.0.1', resolve));
    await expect.poll(() => page.textContent('h1'), { timeout: 10_000 }).toBe('terminal');
    await browser.close();
    await new Promise((resolve) => terminal.close(resolve));
  },
);
