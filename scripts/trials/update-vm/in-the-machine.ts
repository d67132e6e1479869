import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSystemClock } from '../../../drivers/host/system-clock.ts';
import { createSqliteStore } from '../../../drivers/store/sqlite-store.ts';
import { inspectBundle } from '../../../drivers/update-board/rauc-bundle.ts';
import { createRaucUpdateBoard, deviceUpdatePlaces } from '../../../drivers/update-board/rauc-update-board.ts';
import type { Update } from '../../../src/core/update/update.ts';
import type { Store } from '../../../src/ports/store.ts';
import { createUpdateRunner } from '../../../src/terminal/update/update-runner.ts';

/*
 * The program of the virtual machine: the product's machine, runner and RAUC driver, with the terminal's own store. The store
 * is opened as the terminal would (its form taken forward), a row is made durable at each start that serves. Health here ends
 * at the store: there is no agent in the machine.
 */
const say = (line: object): boolean => process.stdout.write(`INSIDE ${JSON.stringify(line)}\n`);
const version = readFileSync('/trial/version', 'utf8').trim();
const compatible = /^compatible=(.*)$/m.exec(readFileSync('/etc/rauc/system.conf', 'utf8'))?.[1] ?? '';
const wished = /uketsuke\.offer=(\S+)/.exec(readFileSync('/proc/cmdline', 'utf8'))?.[1] ?? 'none';
const offers = wished === 'none' ? [] : wished.split(',');

const bundles = new Map<string, string>();
let store: Store | null = null;
const open = (): Store => {
  store ??= createSqliteStore('/var/lib/uketsuke/terminal.sqlite');
  return store;
};
const row = (name: string) => ({
  ...{ requestId: name, session: name, documentHash: name, visitMark: null },
  ...{ sealed: new Uint8Array(64), createdAtMs: 1, expiresAtMs: Number.MAX_SAFE_INTEGER },
});
const rows = async (): Promise<readonly string[] | null> => {
  const there = await open().outboxRows();
  return there.ok ? there.value.map(({ requestId }) => requestId) : null;
};
/** The store's thread may take longer to begin on an emulated processor than the store waits for an answer. */
const rowsAtLast = async (): Promise<readonly string[]> => (await rows()) ?? rowsAtLast();

const board = createRaucUpdateBoard({
  places: { ...deviceUpdatePlaces },
  ...{ version, compatible },
  pathOf: (id) => bundles.get(id) ?? null,
  askHealth: async () => (await rows()) !== null && (await open().firstBrokenAuditEntry()).ok,
});
const clock = createSystemClock();

let serving = false;
const serve = async (): Promise<void> => {
  if (serving) return;
  serving = true;
  // A boot of the first release leaves what a day would; each later one a row of its own.
  const before = await rowsAtLast();
  const names = before.length === 0 ? Array.from({ length: 40 }, (_, index) => `day-${index}`) : [];
  for (const name of [...names, `start-${version}-${before.length}`]) {
    const added = await open().addOutboxRow(row(name));
    if (!added.ok) say({ failed: added.failure.code, name });
  }
  say({ serving: version, rows: await rowsAtLast() });
};

/** One after the other: the next is offered once the one before is done with. */
const offerNext = async (): Promise<void> => {
  const name = offers.shift();
  if (name === undefined) {
    say({ done: true });
    return;
  }
  const path = join('/bundles', `${name}.raucb`);
  const bundle = await inspectBundle(path);
  say({ offered: name, there: readdirSync('/bundles').length, bundle });
  if (bundle === null) return offerNext();
  bundles.set(bundle.id, path);
  runner.tell({ type: 'BundleOffered', bundle });
};

const isAtRest = ({ state, board: where }: Update): boolean =>
  state.name === 'current' && where.booted === where.standard;
const runner = createUpdateRunner({ board, clock }, (update, event, effects) => {
  say({
    event: event.type,
    state: update.state.name,
    effects: effects.map(({ type }) => type),
    last: update.record.last,
  });
  if (update.state.name !== 'starting' && update.board.booted === update.board.standard) void serve();
  if (!isAtRest(update) || !['Started', 'BundleOffered', 'InstallFailed', 'Committed'].includes(event.type)) return;
  void offerNext();
});
say({ started: version });
await runner.start();
runner.tell({
  type: 'SurroundingsChanged',
  surroundings: { isIdle: true, hours: 'closed', wave: 'go', agentVersion: '99.0.0' },
});
