/**
 * Real visits by face and PIN whose traces are searched: `uketsuke run`, `link` and `agent` with pcscd, mosquitto and SQLite,
 * the real face process and the real reading of the printed number. Card and camera stand in this process, which is one of its
 * own on a disk of its own (own-machine.ts). What is asked comes as JSON; a line of JSON for each visit.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { askHealth } from '../../../drivers/host/health-socket.ts';
import { createMqttMessageBus } from '../../../drivers/message-bus/mqtt-message-bus.ts';
import type { MadeCard } from '../../../drivers/virtual/card-maker.ts';
import { isFaceId } from '../../../drivers/virtual/faces.ts';
import { createVirtualCameraControl } from '../../../drivers/virtual/virtual-camera-control.ts';
import type { ScreenModel } from '../../../src/core/screen/screen-model.ts';
import { makeSupportBundle } from '../../../src/log/support-bundle.ts';
import { metricsOf } from '../../../src/processes/terminal-machine.ts';
import { healthReportSchema } from '../../../src/terminal/doctor/health.ts';
import { readLinkKeys } from '../../../src/trust/key-files.ts';
import {
  type Canary,
  type Needle,
  needlesOf,
  searchContent,
  searchFor,
  searchMemory,
} from '../../beds/canary-search.ts';
import { keepFaceProcess } from '../../beds/kept-face.ts';
import type { Reaction } from '../../demonstration/scripted-patient.ts';
import { TerminalOnPcscd } from '../../demonstration/terminal-on-pcscd.ts';
import { by, manner } from '../../demonstration/visits.ts';
import { eventually } from '../eventually.ts';
import { anyPicture } from './any-picture.ts';
import { canariesOfAll, makeCards } from './canaries.ts';
import { CardCamera } from './card-camera.ts';
import { FileTraces, familyOf } from './traces.ts';

export type RealShare = { readonly visits: number; readonly first: number; readonly step: number };
export type RealLine = {
  readonly visit: number;
  readonly isByFace: boolean;
  /** Over all visits of this share */
  readonly messages: number;
  /** Told for the first time, in which form, where */
  readonly hits: readonly string[];
};

const main = new URL('../../../src/main.ts', import.meta.url).pathname;
const share = JSON.parse(process.argv[2] ?? '') as RealShare;
const machine = process.argv[3] ?? '';

const listener = 'front-9';

/** Everything that passes the broker. Returns how to end. */
const listenIn = async (parts: TerminalOnPcscd, heard: (topic: string, payload: Uint8Array) => void) => {
  const bus = createMqttMessageBus({
    ...{ host: 'localhost', port: parts.brokerPort, protocolVersion: 5, clientId: listener },
    tls: await readLinkKeys(parts.listenerDirectory),
  });
  bus.subscribe('#', ({ topic, payload }) => heard(topic, payload));
  return () => bus.close();
};

/** A terminal with cameras and a face process, and whoever stands before it. */
const openCounter = async () => {
  const parts = new TerminalOnPcscd();
  const { directory } = parts;
  const cardCamera = new CardCamera(directory);
  const faceCamera = await createVirtualCameraControl(join(directory, 'face-camera.sock'), null);
  const socket = join(directory, 'face.sock');
  const camera = { kind: 'virtual', seed: 5, controlSocket: faceCamera.path } as const;
  const face = keepFaceProcess({ profile: 'demo', camera }, socket);
  const idle = () =>
    eventually('an idle terminal', () => (parts.patient.screen === 'idle' ? true : undefined), 180_000);
  return {
    ...{ parts, face },
    start: async (): Promise<void> => {
      await cardCamera.start();
      const more = { face: { socket }, cardFrontReader: { driver: 'tesseract' } };
      const environment = { PATH: `${cardCamera.binFolder}:${process.env.PATH}` };
      await parts.start({ more, environment, listener });
    },
    /** A whole visit; answers the screens that were seen, the last of them last. */
    visit: async (card: MadeCard, method: 'face' | 'pin'): Promise<readonly string[]> => {
      const { face: own, pins } = card.persona;
      await idle();
      if (own !== null && isFaceId(own)) faceCamera.setFace(own);
      await cardCamera.show(card);
      await parts.slot.insert(card.card);
      const seen: string[] = [];
      const react = manner({ consent: 'agree', method: by(method, pins.auth?.secret ?? '') });
      const looking = (model: ScreenModel): Reaction => {
        seen.push(model.screen);
        return react(model);
      };
      const follow = () => parts.patient.follow(looking, ['accepted', 'desk', 'out-of-service', 'outage']);
      const { screen } = await follow().finally(async () => {
        faceCamera.setFace(null);
        await cardCamera.show(null);
        await parts.slot.pull();
        await idle();
      });
      return [...seen, screen];
    },
    close: async (): Promise<void> => {
      await parts.close();
      await face.close();
      await faceCamera.close();
      await cardCamera.close();
    },
  };
};

const cards = await makeCards();
const { own, told } = await canariesOfAll(cards);
const searchOutside = searchFor(needlesOf([...own, ...told, ...anyPicture]));
const butFor = (canaries: readonly Canary[]): typeof searchOutside => {
  const names = new Set(canaries.map(({ what }) => what));
  return (bytes) => searchOutside(bytes).filter(({ what }) => !names.has(what));
};
/** In memory, where programs have names of formats, pictures are not looked for by their beginning. */
const search = butFor(anyPicture);
/** The レセコン is told a name by its agent. */
const searchAtAgent = butFor([...told, ...anyPicture]);

const known = new Set<string>();
let fresh: string[] = [];
const hit = (where: string, found: readonly Needle[]): void => {
  for (const { what, encoding } of found) {
    const words = `${what} in ${encoding}, ${where}`;
    if (!known.has(words)) fresh.push(words);
    known.add(words);
  }
};

type Counter = Awaited<ReturnType<typeof openCounter>>;
/** So often the commands themselves are asked for bundle and figures: they cost more than a visit. */
const commandsEvery = 25;
/** A patient is patient for half a minute, and a late camera sends him to the PIN: on a machine that does ten other things both happen. */
const mostBroken = 30;

const ask = async (...args: readonly string[]): Promise<Buffer> => {
  const how = { encoding: 'buffer', maxBuffer: 1e8 } as const;
  return (await promisify(execFile)(process.execPath, [main, ...args], how)).stdout;
};

/** What goes to a maker and to a collector of figures, as the commands make it. */
const lookAtCommands = async ({ parts }: Counter): Promise<void> => {
  const bundle = join(parts.directory, 'bundle.json.gz');
  await ask('support-bundle', '--config', parts.configFile, '--out', bundle);
  hit('support bundle', searchContent(searchOutside, readFileSync(bundle)));
  hit('figures', searchContent(searchOutside, await ask('metrics', '--config', parts.configFile)));
};

/** The same of what was logged in this visit: here no journal of a system holds it. */
const lookAtReport = async ({ parts }: Counter, log: readonly string[]): Promise<void> => {
  const answer = (await askHealth(parts.healthSocket, 10_000)) ?? '';
  hit('health', searchContent(searchOutside, Buffer.from(answer)));
  const { figures, state } = healthReportSchema.parse(JSON.parse(answer));
  if (figures === undefined) throw new Error('a report without figures');
  hit('figures', searchContent(searchOutside, Buffer.from(metricsOf(figures))));
  const about = { version: '0.0.0', node: process.version, profile: 'test', device: 'front-1', state };
  const configuration = JSON.parse(JSON.stringify({ profile: 'test', facility: 'real-parts' })) as unknown;
  const bundle = makeSupportBundle({ about, diagnoses: [], faults: new Set(), figures, configuration, log });
  hit('support bundle', searchContent(searchOutside, bundle));
};

const files = new FileTraces(searchOutside);
const seenMemory = new Map<number, Map<number, Buffer>>();
const memoryOf = (pid: number): Map<number, Buffer> => {
  const seen = seenMemory.get(pid) ?? new Map<number, Buffer>();
  seenMemory.set(pid, seen);
  return seen;
};

/** Log, files and memory, after a visit. */
const lookAround = async (counter: Counter, log: readonly string[]): Promise<void> => {
  const { parts, face } = counter;
  hit('log', searchContent(searchOutside, Buffer.from(log.join('\n'))));
  await lookAtReport(counter, log);
  for (const [path, found] of files.below(machine, passes)) hit(`file ${path.slice(machine.length)}`, found);
  const { run, link, agent, broker } = parts.processIds;
  const processes = [
    ['terminal', run, search],
    ['link', link, search],
    ['face', face.processId ?? 0, search],
    ['broker', broker, search],
    ['agent', agent, searchAtAgent],
  ] as const;
  for (const [name, first, within] of processes)
    for (const pid of familyOf(first)) {
      for (const [path, found] of files.heldOpen(pid)) hit(`file that ${name} holds open as ${path}`, found);
      hit(`memory of ${name}`, await searchMemory(within, pid, memoryOf(pid)));
    }
};

const counter = await openCounter();
const { parts } = counter;
const passes = (path: string): boolean => path.startsWith(join(parts.agent.oqsFolder, 'face'));
let messages = 0;
let endListening = async (): Promise<void> => {};
try {
  await counter.start();
  endListening = await listenIn(parts, (topic, payload) => {
    messages += 1;
    hit(`message ${topic.split('/').at(-1)}`, [
      ...searchContent(searchOutside, Buffer.from(topic)),
      ...searchContent(searchOutside, payload),
    ]);
  });
  parts.patient.onWords = (words) => hit('what the page is told', searchContent(searchOutside, words));
  for (let made = share.first, logged = 0, broken = 0; made < share.visits; made += share.step) {
    const card = cards[made % cards.length] as MadeCard;
    const method = (made + Math.floor(made / cards.length)) % 2 === 0 ? 'face' : 'pin';
    const screens = await counter.visit(card, method).catch((error: unknown) => [String(error)]);
    const log = parts.log.slice(logged);
    logged = parts.log.length;
    await lookAround(counter, log);
    if (Math.floor(made / share.step) % commandsEvery === 0) await lookAtCommands(counter);
    const isByFace = screens.includes('face') && !screens.includes('pin');
    if (screens.at(-1) !== 'accepted' || isByFace !== (method === 'face')) {
      // What it left was looked at; another one is made in its place.
      process.stderr.write(`leaks: visit ${made} by ${method}: ${screens.join(' ')}\n`);
      broken += 1;
      made -= share.step;
      if (broken > mostBroken) throw new Error(`${broken} visits did not end well`);
      continue;
    }
    const line: RealLine = { visit: made, isByFace, messages, hits: fresh };
    fresh = [];
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
  // As a whole once more: of long ones only what had changed was opened.
  for (const [path, found] of files.whole(machine, passes)) hit(`file ${path.slice(machine.length)}`, found);
  const passed = [...files.whole(parts.agent.oqsFolder, (path) => !passes(path))].flatMap(([, found]) => found);
  if (passed.length === 0) throw new Error('the search does not even see the names that the レセコン is told');
} finally {
  await endListening();
  await counter.close();
}
