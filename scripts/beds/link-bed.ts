import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLinkClient } from '../../drivers/link/link-client.ts';
import { type LinkServer, type LinkServerOptions, serveLink } from '../../drivers/link/link-server.ts';
import { createEventLog } from '../../src/log/event-log.ts';
import { topicOf } from '../../src/wire/topics.ts';

type Served = Pick<LinkServerOptions, 'bus' | 'store'>;
const log = createEventLog({ format: 'silent' });
const offline = { topic: topicOf('test-clinic', 'front-1', 'state'), payload: new TextEncoder().encode('offline') };

/**
 * A link and its terminal on a socket of their own, in this process. Bus and store that are served belong to whoever
 * made them. `answerMs`: how long a call on the store waits for a link that is away.
 */
export const linkBed = (served: Served, { answerMs = 8_000 }: { readonly answerMs?: number } = {}) => {
  const directory = mkdtempSync(join(tmpdir(), 'uketsuke-link-'));
  const path = join(directory, 'link.sock');
  let server: Promise<LinkServer> | null = null;
  const start = (parts: Served = served): void => {
    server = serveLink({ listenAt: { path }, ...parts, log, offline });
  };
  const end = async (): Promise<void> => {
    await (await server)?.close();
    server = null;
  };
  start();
  const client = createLinkClient({ path, log, delays: { answerMs } });
  /** Until the terminal has noticed, too: what it says then waits for the next link. */
  const stop = async (): Promise<void> => {
    await end();
    let forget = (): void => {};
    await new Promise<void>((resolve) => {
      forget = client.bus.subscribeConnection((_connected, cause) => {
        if (cause?.code === 'delivery.link-lost') resolve();
      });
    });
    forget();
  };
  return {
    path,
    bus: client.bus,
    store: client.store,
    stop,
    start,
    close: async (): Promise<void> => {
      client.close();
      await end();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
