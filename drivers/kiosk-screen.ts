import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import type { ScreenModel } from '../src/core/screen/screen-model.ts';
import { controlIds } from '../src/core/visit/control-ids.ts';
import type { Screen, ScreenEvent } from '../src/ports/screen.ts';
import type { Speaker } from '../src/ports/speaker.ts';
import { contentTypes } from '../src/web/content-types.ts';
import { type LocalAnswer, type LocalRequest, startLocalServer } from '../src/web/local-server.ts';
import { prometheusType } from '../src/wire/prometheus-text.ts';
import { createPageSpeaker, speechPath } from './speaker/page-speaker.ts';

/*
 * The patient's screen as a page on loopback. To the page: `{"model": ScreenModel}` and `{"preview": null}` as text, a
 * preview picture (JPEG) as a binary frame. From the page: touches and the paint heart-beat as text, and each key of
 * the PIN pad as a binary frame of one byte, so that no digit ever stands in a string, in JSON or in a log.
 *
 * Several pages may be open; all show the same and all may touch: what counts is the session and the revision that a
 * touch names, not the page it came from.
 */

const fromPageSchema = z.union([
  z.strictObject({
    touch: z.strictObject({
      session: z.string().max(64).nullable(),
      revision: z.number().int().min(0),
      control: z.enum(controlIds),
      value: z.string().max(64).optional(),
    }),
  }),
  z.strictObject({ painted: z.number().int().min(0) }),
  z.strictObject({ heard: z.number().int().min(0) }),
]);

/** More than any finger can do; the rest of a touch storm is dropped unread. */
const messagesPerSecond = 60;
/** A page that does not keep up gets the newest picture later instead of a queue of old ones. Bytes */
const previewBacklogLimit = 300_000;
/** So much unread, and a page is gone. Bytes */
const unreadLimit = 4_000_000;

const clearKey = 0x08;
const enterKey = 0x0d;
const isPinKey = (byte: number): boolean => (byte >= 0x30 && byte <= 0x39) || byte === clearKey || byte === enterKey;

/** Fonts are many and asked for seldom: they stay on the disk (`path`). */
type Served = { readonly type: string } & ({ readonly body: Uint8Array } | { readonly path: string });

/** The files below a folder by the path they are served under; what has no known type is not served. */
const filesBelow = (dir: string, prefix: string): Map<string, Served> => {
  const files = new Map<string, Served>();
  const names = readdirSync(dir, { recursive: true, withFileTypes: true });
  for (const entry of names) {
    const type = contentTypes[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(`${prefix}${path.slice(join(dir, '/').length)}`, {
      type,
      ...(type.startsWith('font/') ? { path } : { body: readFileSync(path) }),
    });
  }
  return files;
};

const readPage = (pageDir: string): Map<string, Served> => {
  const files = filesBelow(pageDir, '/');
  const index = files.get('/index.html');
  if (index === undefined)
    throw new Error(`no index.html in ${pageDir}: build the patient's screen with scripts/setup`);
  files.set('/', index);
  return files;
};

type KioskScreenOptions = {
  /** TCP port on 127.0.0.1; 0 = any free one */
  readonly port: number;
  /** The built page (dist/screens) */
  readonly pageDir: string;
  /** As of `startLocalServer` */
  readonly inheritedFd?: number;
  /** Recordings for a page that speaks (src/catalogue/speech) */
  readonly speechDir?: string;
  /** Prometheus' text, for whoever may reach this loopback */
  readonly metrics?: () => string;
};

export type KioskScreen = Screen & {
  readonly port: number;
  /** Voice and chimes through the page's own browser; silent without `speechDir`. */
  readonly speaker: Speaker;
  /** Every page loads itself anew, as after a restart of its browser; staff may order it. */
  reload(): void;
};

/** The pages that are open (one at a counter), what they say and what they are sent. */
class Pages {
  readonly listeners = new Set<(event: ScreenEvent) => void>();
  readonly #open = new Set<WebSocket>();
  readonly speaker: ReturnType<typeof createPageSpeaker>;
  #model: ScreenModel | null = null;

  constructor(speechDir = '') {
    this.speaker = createPageSpeaker((sound) => {
      this.send({ sound });
      return this.areThere;
    }, speechDir);
  }

  get areThere(): boolean {
    return this.#open.size > 0;
  }

  show(model: ScreenModel): void {
    this.#model = model;
    this.send({ model });
  }

  /** A page that reads nothing must not fill our memory; a real one asks again. */
  send(message: object): void {
    const text = JSON.stringify(message);
    for (const page of this.#open) {
      if (page.bufferedAmount > unreadLimit) page.terminate();
      else page.send(text);
    }
  }

  preview(jpeg: Uint8Array | null): void {
    for (const page of this.#open) {
      if (jpeg === null) page.send('{"preview":null}');
      else if (page.bufferedAmount < previewBacklogLimit) page.send(jpeg, { binary: true });
    }
  }

  admit(page: WebSocket): void {
    this.#open.add(page);
    let second = 0;
    let received = 0;
    page.on('message', (raw, binary) => {
      const now = Math.floor(performance.now() / 1_000);
      received = now === second ? received + 1 : 1;
      second = now;
      if (received <= messagesPerSecond && raw instanceof Uint8Array) this.#receive(raw, binary);
    });
    page.on('close', () => {
      this.#open.delete(page);
      if (this.areThere) return;
      this.speaker.away();
      this.#tell({ type: 'disconnected' });
    });
    if (this.#model !== null) page.send(JSON.stringify({ model: this.#model }));
    if (this.#open.size === 1) this.#tell({ type: 'connected' });
  }

  #tell(event: ScreenEvent): void {
    for (const listener of [...this.listeners]) listener(event);
  }

  #receive(bytes: Uint8Array, binary: boolean): void {
    if (binary) {
      const key = bytes.length === 1 ? bytes[0] : undefined;
      bytes.fill(0);
      if (key !== undefined && isPinKey(key)) this.#tell({ type: 'pin-key', key });
      return;
    }
    let parsed: unknown;
    try {
      parsed = JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      return;
    }
    const message = fromPageSchema.safeParse(parsed);
    if (!message.success) return;
    if ('heard' in message.data) return this.speaker.heard(message.data.heard);
    if ('painted' in message.data) {
      this.#tell({ type: 'painted', revision: message.data.painted });
      return;
    }
    const { value, ...touch } = message.data.touch;
    this.#tell({ type: 'touched', touch: value === undefined ? touch : { ...touch, value } });
  }
}

/** Serves the page and speaks with it. Rejects when the port is taken; throws when the page is not built. */
export const createKioskScreen = async (options: KioskScreenOptions): Promise<KioskScreen> => {
  const files = readPage(options.pageDir);
  if (options.speechDir !== undefined)
    for (const [path, file] of filesBelow(options.speechDir, speechPath)) files.set(path, file);
  const pages = new Pages(options.speechDir);

  const answer = async ({ method, path }: LocalRequest): Promise<LocalAnswer> => {
    if (method === 'GET' && path === '/metrics' && options.metrics !== undefined)
      return { status: 200, headers: { 'content-type': prometheusType }, body: options.metrics() };
    const file = method === 'GET' ? files.get(path) : undefined;
    const body = file === undefined ? null : 'body' in file ? file.body : await readFile(file.path).catch(() => null);
    return file === undefined || body === null
      ? { status: 404 }
      : { status: 200, headers: { 'content-type': file.type }, body };
  };

  const server = await startLocalServer({
    port: options.port,
    ...(options.inheritedFd === undefined ? {} : { inheritedFd: options.inheritedFd }),
    headers: (port) => ({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': `default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; media-src 'self'; font-src 'self'; connect-src 'self' ws://127.0.0.1:${port} ws://localhost:${port}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    }),
    answer,
    socket: { path: '/screen', maximumMessageBytes: 2_048, admit: (page) => pages.admit(page) },
  });

  return {
    port: server.port,
    speaker: pages.speaker,
    show(model) {
      pages.show(model);
    },
    reload() {
      pages.send({ reload: true });
    },
    preview(jpeg) {
      pages.preview(jpeg);
    },
    subscribe(listener) {
      pages.listeners.add(listener);
      listener({ type: pages.areThere ? 'connected' : 'disconnected' });
      return () => pages.listeners.delete(listener);
    },
    async close() {
      pages.listeners.clear();
      await server.close();
    },
  };
};
