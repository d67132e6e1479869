import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { faceIds } from '../../drivers/virtual/faces.ts';
import { personas } from '../../drivers/virtual/personas.ts';
import { type LocalAnswer, type LocalRequest, startLocalServer } from '../../src/web/local-server.ts';
import { pageFonts } from '../../src/web/served-fonts.ts';
import type { ClinicDemo } from './clinic-demo.ts';

/* What a hand at the counter can do, as a page on loopback: cards, faces, keys, cables. */

const actionSchema = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('insert'), persona: z.string() }),
  z.strictObject({ action: z.literal('pull') }),
  z.strictObject({ action: z.literal('face'), face: z.string().nullable() }),
  z.strictObject({ action: z.literal('network'), connected: z.boolean() }),
  z.strictObject({ action: z.literal('reader'), plugged: z.boolean() }),
  z.strictObject({ action: z.literal('keypad'), key: z.number().int().min(0).max(255) }),
]);
type Action = z.infer<typeof actionSchema>;

/** The everyday patients first. */
const everyday = ['hanako', 'taro', 'unregistered', 'near-expiry', 'grace', 'face-only', 'pin-blocked'];
const rank = (id: string): number => (everyday.includes(id) ? everyday.indexOf(id) : everyday.length);

const facesShown = faceIds.map((id) => ({
  id,
  of: [...personas.values()].filter(({ face }) => face === id).map((persona) => persona.id),
}));
const personasShown = [...personas.values()]
  .sort((a, b) => rank(a.id) - rank(b.id))
  .map(({ id, title, face, pins }) => ({ id, title, face, pin: pins.auth?.secret ?? null }));

/** What lies, stands and is plugged in at the counter, as it was ordered here. */
class Counter {
  readonly #demo: ClinicDemo;
  #card: string | null = null;
  #face: string | null = null;
  #connected = true;
  #plugged = true;

  constructor(demo: ClinicDemo) {
    this.#demo = demo;
  }

  async perform(action: Action): Promise<void> {
    const demo = this.#demo;
    switch (action.action) {
      case 'insert':
        if (!personas.has(action.persona)) return;
        this.#card = action.persona;
        return demo.order({ type: 'insert', persona: action.persona });
      case 'pull':
        this.#card = null;
        return demo.order({ type: 'pull' });
      case 'face':
        this.#face = action.face;
        return demo.setFace(action.face);
      case 'network':
        this.#connected = action.connected;
        return action.connected ? demo.broker.restore() : demo.broker.cut();
      case 'reader':
        this.#plugged = action.plugged;
        return demo.order({ type: action.plugged ? 'plug-reader' : 'unplug-reader' });
      case 'keypad':
        return demo.order({ type: 'keypad', key: action.key });
      default:
        return action satisfies never;
    }
  }

  situation() {
    return {
      card: this.#card,
      face: this.#face,
      connected: this.#connected,
      plugged: this.#plugged,
      light: this.#demo.light(),
      screen: `http://127.0.0.1:${this.#demo.screenPort}`,
      staffPage: this.#demo.agent.staffPage,
      faces: facesShown,
      personas: personasShown,
    };
  }
}

const json = (status: number, value: unknown): LocalAnswer => ({
  status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: JSON.stringify(value),
});

export const startControlPanel = async (demo: ClinicDemo, wantedPort: number) => {
  const counter = new Counter(demo);
  const page = readFileSync(new URL('./control-panel.html', import.meta.url));
  const fonts = pageFonts();
  const answer = async ({ method, path, body }: LocalRequest): Promise<LocalAnswer> => {
    if (method === 'GET' && path === '/')
      return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: page };
    const font = method === 'GET' ? await fonts(path) : null;
    if (font !== null) return font;
    if (method === 'GET' && path === '/situation') return json(200, counter.situation());
    if (method !== 'POST' || path !== '/action') return { status: 404 };
    try {
      await counter.perform(actionSchema.parse(JSON.parse(body.toString())));
      return json(200, counter.situation());
    } catch {
      return json(400, { error: 'no such action' });
    }
  };
  const { port, close } = await startLocalServer({ port: wantedPort, answer, maximumBodyBytes: 1_000 });
  return { port, close };
};
