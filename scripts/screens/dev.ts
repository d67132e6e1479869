/**
 * The page by vite, which sends styles and parts of the page to the browser as they change, in front of `uketsuke
 * preview`, which is started anew when anything else of src changes: about as fast as Node starts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { utimesSync, watch } from 'node:fs';
import { parseArgs } from 'node:util';
import { createServer } from 'vite';
import { WebSocket } from 'ws';

const { values } = parseArgs({
  options: {
    screen: { type: 'string', default: 'idle' },
    language: { type: 'string', default: 'ja' },
    port: { type: 'string', default: '8483' },
    measure: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const root = new URL('../../', import.meta.url).pathname;
const targetMs = 2_000;
/** An editor writes a file in more than one step. ms */
const settleMs = 40;

class Preview {
  readonly port: number;
  #child: ChildProcess | null = null;
  #screen = values.screen;
  #pending: NodeJS.Timeout | null = null;
  /** Told when a new process shows its screen */
  onShown = (): void => {};

  constructor(port: number) {
    this.port = port;
  }

  async start(): Promise<void> {
    const asked = ['--port', String(this.port), '--screen', this.#screen, '--language', values.language];
    const child = spawn(process.execPath, [`${root}src/main.ts`, 'preview', ...asked], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#screen = /^\d+\/\d+ (\S+)$/m.exec(text)?.[1] ?? this.#screen;
    });
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  }

  /** Keys go to it: Enter, b, the name of a screen. */
  write(text: string): void {
    this.#child?.stdin?.write(text);
  }

  changed(): void {
    if (this.#pending !== null) clearTimeout(this.#pending);
    this.#pending = setTimeout(() => void this.#again(), settleMs);
  }

  async #again(): Promise<void> {
    await this.stop();
    await this.start();
    this.onShown();
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

const preview = new Preview(Number(values.port) + 1);
let toldBrowser = (): void => {};
const vite = await createServer({
  configFile: `${root}src/screens/vite.config.ts`,
  logLevel: 'silent',
  plugins: [{ name: 'told', hotUpdate: () => toldBrowser() }],
  server: {
    host: '127.0.0.1',
    port: Number(values.port),
    strictPort: true,
    proxy: {
      '/screen': { target: `http://127.0.0.1:${preview.port}`, ws: true, changeOrigin: true, rewriteWsOrigin: true },
    },
  },
});
await vite.listen();
await preview.start();
const watcher = watch(`${root}src`, { recursive: true }, (_event, name) => {
  if (name !== null && !String(name).startsWith('screens')) preview.changed();
});
const close = async (): Promise<void> => {
  watcher.close();
  await Promise.all([preview.stop(), vite.close()]);
};

/** The page's own way to its screen, through vite. */
const screenOfPage = async (): Promise<void> => {
  const socket = new WebSocket(`ws://127.0.0.1:${values.port}/screen`, { origin: `http://127.0.0.1:${values.port}` });
  await once(socket, 'message');
  socket.terminate();
};

const touch = (path: string): void => utimesSync(`${root}${path}`, new Date(), new Date());

const measure = async (): Promise<Record<'textMs' | 'styleMs' | 'machineMs', number>> => {
  const timed = async (path: string, seen: () => Promise<void>): Promise<number> => {
    const since = performance.now();
    touch(path);
    await seen();
    return Math.round(performance.now() - since);
  };
  const restarted = async (): Promise<void> => {
    await new Promise<void>((resolve) => {
      preview.onShown = resolve;
    });
    await screenOfPage();
  };
  await screenOfPage();
  const textMs = await timed('src/catalogue/texts/ja.json', restarted);
  const machineMs = await timed('src/core/visit/session-machine.ts', restarted);
  await vite.transformRequest('/style/base.css');
  const styleMs = await timed('src/screens/style/base.css', () => new Promise((resolve) => (toldBrowser = resolve)));
  return { textMs, styleMs, machineMs };
};

if (values.measure) {
  const measured = await measure();
  await close();
  const isQuick = Object.values(measured).every((ms) => ms <= targetMs);
  process.stdout.write(
    values.json ? `${JSON.stringify({ profile: 'demo', ...measured })}\n` : `${JSON.stringify(measured)}\n`,
  );
  process.exit(isQuick ? 0 : 1);
}
process.stdout.write(`http://127.0.0.1:${values.port}/  Enter: next, b: back, a name: go there, Ctrl-C: end\n`);
process.stdin.setEncoding('utf8').on('data', (text: string) => preview.write(text));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void close().then(() => process.exit(0)));
