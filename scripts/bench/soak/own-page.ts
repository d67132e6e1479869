/**
 * The page in a Chromium of its own, started as systemd/uketsuke-kiosk.service starts it but for the display. What drives a
 * browser for tests stays connected, and makes it keep what is otherwise let go: here the script of a patient is put into
 * the page once, and nobody listens from then on.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import { endChild } from '../../beds/end-child.ts';
import { chromiumEnvironment, chromiumFlags, chromiumPath } from '../../screens/screens-browser.ts';

const root = join(import.meta.dirname, '../../..');
/** Those of the unit that are about neither its display nor its folders */
const kioskFlags = readFileSync(join(root, 'systemd/uketsuke-kiosk.service'), 'utf8')
  .split(/\s+/)
  .filter((word) => /^--(?!app=|ozone|user-data-dir|foreground|kill-after)/.test(word));

/** @throws Error when it takes longer than a minute */
const eventually = async <T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> => {
  const untilMs = performance.now() + 60_000;
  for (;;) {
    const found = await Promise.resolve()
      .then(look)
      .catch(() => undefined);
    if (found !== undefined) return found;
    if (performance.now() > untilMs) throw new Error(`soak: ${what} does not come`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

/** Runs it there, and goes. @throws Error with what it threw */
const evaluateOnce = (address: string, expression: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(address);
    socket.once('open', () =>
      socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression, returnByValue: true } })),
    );
    socket.once('error', reject);
    socket.once('message', (raw) => {
      socket.close();
      const { result } = JSON.parse(String(raw)) as {
        result?: { result?: { value?: unknown }; exceptionDetails?: object };
      };
      if (result?.exceptionDetails !== undefined) reject(new Error(JSON.stringify(result.exceptionDetails)));
      else resolve(result?.result?.value);
    });
  });

export const openOwnPage = async (
  port: number,
  script: string,
): Promise<{ readonly pid: number; close(): Promise<void> }> => {
  const profile = mkdtempSync(join(tmpdir(), 'uketsuke-chromium-'));
  const flags = [...new Set([...chromiumFlags, ...kioskFlags])];
  const child = spawn(
    chromiumPath,
    [
      ...flags,
      `--user-data-dir=${profile}`,
      '--remote-debugging-port=0',
      '--window-size=1280,800',
      '--force-prefers-reduced-motion',
      `--app=http://127.0.0.1:${port}/`,
    ],
    { stdio: 'ignore', env: chromiumEnvironment },
  );
  process.once('exit', () => child.kill('SIGKILL'));
  const debugPort = await eventually(
    'Chromium',
    () => readFileSync(join(profile, 'DevToolsActivePort'), 'utf8').split('\n')[0],
  );
  const address = await eventually('the page', async () => {
    const targets = (await (await fetch(`http://127.0.0.1:${debugPort}/json/list`)).json()) as {
      readonly url: string;
      readonly webSocketDebuggerUrl: string;
    }[];
    return targets.find(({ url }) => url.startsWith(`http://127.0.0.1:${port}/`))?.webSocketDebuggerUrl;
  });
  await eventually('its first screen', async () => {
    const isThere = await evaluateOnce(address, `document.querySelector('[data-screen="idle"]') !== null`);
    return isThere === true ? true : undefined;
  });
  await evaluateOnce(address, script);
  return {
    pid: child.pid ?? 0,
    close: async () => {
      await endChild(child, 'SIGTERM', 3_000);
      rmSync(profile, { recursive: true, force: true });
    },
  };
};
