import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createKioskScreen } from '../../drivers/kiosk-screen.ts';
import type { ScreenModel } from '../../src/core/screen/screen-model.ts';
import { model, nextEvent, type ScreenProbe, screenContract } from './screen.ts';

let pageDir = '';
beforeAll(() => {
  pageDir = mkdtempSync(join(tmpdir(), 'uketsuke-page-'));
  writeFileSync(join(pageDir, 'index.html'), '<!doctype html><title>page</title>');
  writeFileSync(join(pageDir, 'secret.txt'), 'not part of the page');
});
afterAll(() => rmSync(pageDir, { recursive: true }));

const openKiosk = async (): Promise<ScreenProbe> => {
  const screen = await createKioskScreen({ port: 0, pageDir });
  const page = new WebSocket(`ws://127.0.0.1:${screen.port}/screen`);
  const shown: (ScreenModel | Uint8Array | null)[] = [];
  const waiting: ((value: ScreenModel | Uint8Array | null) => void)[] = [];
  page.on('message', (raw: Buffer, binary) => {
    const value = binary
      ? Uint8Array.from(raw)
      : ((JSON.parse(raw.toString()) as { model?: ScreenModel }).model ?? null);
    const next = waiting.shift();
    if (next === undefined) shown.push(value);
    else next(value);
  });
  await once(page, 'open');
  return {
    screen,
    nextShown: () =>
      new Promise((resolve) => {
        const value = shown.shift();
        if (value === undefined) waiting.push(resolve);
        else resolve(value);
      }),
    touch: (touch) => page.send(JSON.stringify({ touch })),
    pressPinKey: (byte) => page.send(Uint8Array.of(byte)),
    tellPainted: (revision) => page.send(JSON.stringify({ painted: revision })),
    leave: async () => {
      page.close();
      await once(page, 'close');
    },
    close: async () => {
      page.terminate();
      await screen.close();
    },
  };
};

screenContract('kiosk page', openKiosk);

type Answer = { readonly status: number; readonly body: string };
const get = (port: number, path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asked.on('error', reject);
    asked.end();
  });

describe('the kiosk page on its port', () => {
  let screen: Awaited<ReturnType<typeof createKioskScreen>> | null = null;
  const open = async () => {
    screen = await createKioskScreen({ port: 0, pageDir });
    return screen;
  };
  afterEach(async () => {
    await screen?.close();
    screen = null;
  });

  it('serves the built page and nothing else', async () => {
    const { port } = await open();
    expect(await get(port, '/')).toMatchObject({ status: 200, body: expect.stringContaining('page') });
    for (const path of ['/secret.txt', '/../package.json', '/%2e%2e/package.json', '/index.html/..'])
      expect((await get(port, path)).status, path).toBe(404);
    expect((await get(port, '//etc/passwd')).status).toBe(400);
  });

  it('refuses a name that is not this machine (DNS rebinding) and a foreign origin', async () => {
    const { port } = await open();
    expect((await get(port, '/', { host: 'clinic.example' })).status).toBe(421);
    expect((await get(port, '/', { origin: 'http://clinic.example' })).status).toBe(403);
    const foreign = new WebSocket(`ws://127.0.0.1:${port}/screen`, { origin: 'http://clinic.example' });
    const [error] = (await once(foreign, 'error')) as [Error];
    expect(error.message).toContain('403');
  });

  it('shows a page that comes back what stands on the screen now', async () => {
    const kiosk = await open();
    kiosk.show(model(5));
    const page = new WebSocket(`ws://127.0.0.1:${kiosk.port}/screen`);
    const [raw] = (await once(page, 'message')) as [Buffer];
    expect(JSON.parse(raw.toString())).toEqual({ model: model(5) });
    page.terminate();
  });

  it.each([
    ['no JSON', 'touch me'],
    ['an unknown control', '{"touch":{"session":null,"revision":1,"control":"format-disk"}}'],
    ['a superfluous field', '{"touch":{"session":null,"revision":1,"control":"agree","pin":"1234"}}'],
    ['a revision that is no number', '{"touch":{"session":null,"revision":"1","control":"agree"}}'],
    ['several PIN keys in one frame', Uint8Array.of(0x31, 0x32)],
    ['an empty frame', new Uint8Array()],
  ])('drops %s and goes on', async (_name, message) => {
    const kiosk = await open();
    const told: string[] = [];
    kiosk.subscribe(({ type }) => told.push(type));
    const page = new WebSocket(`ws://127.0.0.1:${kiosk.port}/screen`);
    await once(page, 'open');
    const painted = nextEvent(kiosk, 'painted');
    page.send(message);
    page.send('{"painted":1}');
    await painted;
    expect(told.filter((type) => type === 'touched' || type === 'pin-key')).toEqual([]);
    page.terminate();
  });

  it('reads no more than a finger can do of a touch storm', async () => {
    const kiosk = await open();
    let touches = 0;
    kiosk.subscribe((event) => {
      if (event.type === 'touched') touches += 1;
    });
    const page = new WebSocket(`ws://127.0.0.1:${kiosk.port}/screen`);
    await once(page, 'open');
    for (let index = 0; index < 2_000; index += 1)
      page.send(JSON.stringify({ touch: { session: null, revision: 1, control: 'agree' } }));
    const closed = once(page, 'close');
    page.close();
    await closed;
    // 60 a second; a slow machine may need a few seconds to read 2,000.
    expect(touches).toBeGreaterThan(0);
    expect(touches).toBeLessThan(1_000);
  });

  it('says what to do when the page has not been built', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'uketsuke-no-page-'));
    await expect(createKioskScreen({ port: 0, pageDir: empty })).rejects.toThrow(/scripts\/setup/);
    rmSync(empty, { recursive: true });
  });
});
