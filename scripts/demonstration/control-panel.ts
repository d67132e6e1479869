import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { faceIds } from '../../drivers/virtual/faces.ts';
import { personas } from '../../drivers/virtual/personas.ts';
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

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let body = '';
  for await (const chunk of request) {
    body += String(chunk);
    if (body.length > 1_000) throw new Error('too long');
  }
  return body;
};

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
  const server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo;
    const own = [`127.0.0.1:${port}`, `localhost:${port}`];
    const { host, origin } = request.headers;
    // Loopback only, and no foreign page may press the buttons.
    if (!own.includes(host ?? '') || (origin !== undefined && !own.some((name) => origin === `http://${name}`))) {
      response.writeHead(403).end();
      return;
    }
    const json = (status: number, value: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(JSON.stringify(value));
    };
    if (request.method === 'GET' && request.url === '/') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page);
    } else if (request.method === 'GET' && request.url === '/situation') {
      json(200, situation());
    } else if (request.method === 'POST' && request.url === '/action') {
      void bodyOf(request)
        .then((body) => perform(actionSchema.parse(JSON.parse(body))))
        .then(
          () => json(200, situation()),
          () => json(400, { error: 'no such action' }),
        );
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(wantedPort, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: (): Promise<void> =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
};
