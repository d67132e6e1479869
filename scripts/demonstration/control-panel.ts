import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { faceIds } from '../../drivers/virtual/faces.ts';
import { personas } from '../../drivers/virtual/personas.ts';
import { type LocalAnswer, type LocalRequest, startLocalServer } from '../../src/web/local-server.ts';
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

export const startControlPanel = async (demo: ClinicDemo, wantedPort: number) => {
  let card: string | null = null;
  let face: string | null = null;
  let connected = true;
  let plugged = true;

  const perform = async (action: Action): Promise<void> => {
    switch (action.action) {
      case 'insert':
        if (!personas.has(action.persona)) return;
        card = action.persona;
        return demo.order({ type: 'insert', persona: action.persona });
      case 'pull':
        card = null;
        return demo.order({ type: 'pull' });
      case 'face':
        face = action.face;
        return demo.setFace(action.face);
      case 'network':
        connected = action.connected;
        return connected ? demo.broker.restore() : demo.broker.cut();
      case 'reader':
        plugged = action.plugged;
        return demo.order({ type: plugged ? 'plug-reader' : 'unplug-reader' });
      case 'keypad':
        return demo.order({ type: 'keypad', key: action.key });
      default:
        return action satisfies never;
    }
  };

  const situation = () => ({
    card,
    face,
    connected,
    plugged,
    light: demo.light(),
    screen: `http://127.0.0.1:${demo.screenPort}`,
    staffPage: demo.agent.staffPage,
    faces: faceIds.map((id) => ({
      id,
      of: [...personas.values()].filter((persona) => persona.face === id).map((persona) => persona.id),
    })),
    personas: [...personas.values()]
      .sort((a, b) => rank(a.id) - rank(b.id))
      .map(({ id, title, face: own, pins }) => ({
        id,
        title,
        face: own,
        pin: pins.auth?.secret ?? null,
      })),
  });

  const page = readFileSync(new URL('./control-panel.html', import.meta.url));
  const json = (status: number, value: unknown): LocalAnswer => ({
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(value),
  });
  const answer = async ({ method, path, body }: LocalRequest): Promise<LocalAnswer> => {
    if (method === 'GET' && path === '/')
      return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: page };
    if (method === 'GET' && path === '/situation') return json(200, situation());
    if (method !== 'POST' || path !== '/action') return { status: 404 };
    try {
      await perform(actionSchema.parse(JSON.parse(body.toString())));
      return json(200, situation());
    } catch {
      return json(400, { error: 'no such action' });
    }
  };
  const { port, close } = await startLocalServer({ port: wantedPort, answer, maximumBodyBytes: 1_000 });
  return { port, close };
};
