import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createMqttMessageBus } from '../../../drivers/message-bus/mqtt-message-bus.ts';
import { type MadeCard, makeCard } from '../../../drivers/virtual/card-maker.ts';
import { isFaceId, loadFaceGrey } from '../../../drivers/virtual/faces.ts';
import { personaById } from '../../../drivers/virtual/personas.ts';
import { createVirtualCameraControl } from '../../../drivers/virtual/virtual-camera-control.ts';
import { parseServiceRecords } from '../../../src/agent/eligibility/simulated-eligibility-service.ts';
import type { ScreenModel } from '../../../src/core/screen/screen-model.ts';
import { embedReference } from '../../../src/face/attempt/embed-reference.ts';
import { decodeReference } from '../../../src/face/models/decode-reference.ts';
import { encodeCommand } from '../../../src/protocol/card/apdu.ts';
import { verify } from '../../../src/protocol/card/myna-card.ts';
import { readLinkKeys } from '../../../src/trust/key-files.ts';
import { loadModels } from '../../beds/built-models.ts';
import {
  type Canary,
  type Needle,
  needlesOf,
  searchContent,
  searchFolder,
  searchFor,
  searchMemory,
} from '../../beds/canary-search.ts';
import { keepFaceProcess } from '../../beds/kept-face.ts';
import { authority, pinBytes } from '../../beds/test-cards.ts';
import type { Reaction } from '../../demonstration/scripted-patient.ts';
import { TerminalOnPcscd } from '../../demonstration/terminal-on-pcscd.ts';
import { by, manner } from '../../demonstration/visits.ts';
import { eventually } from '../eventually.ts';
import { CardCamera } from './card-camera.ts';

/*
 * Real visits by face and PIN whose traces are searched: `uketsuke run`, `link` and `agent` with pcscd, mosquitto and SQLite,
 * the real face process and the real reading of the printed number. Card and camera stand in this process.
 */

const keyFolder = new URL('../../../.cache/virtual-card-keys/', import.meta.url).pathname;
const main = new URL('../../../src/main.ts', import.meta.url).pathname;
const who = ['hanako', 'taro'] as const;

const cardOf = async (id: string): Promise<MadeCard> => {
  const persona = personaById(id);
  const photo = persona.face !== null && isFaceId(persona.face) ? await loadFaceGrey(persona.face) : null;
  return makeCard({ persona, authority, keyFolder, photo, wallMs: Date.now() });
};

const recordsFile = new URL(
  '../../../src/agent/eligibility/simulated-eligibility-service.records.json',
  import.meta.url,
);
const records = parseServiceRecords(readFileSync(recordsFile, 'utf8'), Date.now());
const toldBy = (id: string): readonly string[] =>
  records
    .filter(({ persona }) => persona === id)
    .flatMap(({ qualifications }) => qualifications.flatMap(({ Name, NameKana }) => [Name, NameKana]))
    .filter((text) => typeof text === 'string');

/** What nobody but its owner and the レセコン is to have of a person. */
const canariesOf = async ({ persona, photoJp2, printedNumberB }: MadeCard): Promise<readonly Canary[]> => {
  const of = `of ${persona.id}`;
  const pin = persona.pins.auth?.secret ?? '';
  const decoded = await decodeReference(photoJp2);
  if (!decoded.ok) throw new Error(decoded.failure.detail);
  const embedding = await embedReference(await loadModels(), decoded.value);
  if (embedding === null) throw new Error(`no face on the card ${of}`);
  return [
    { what: `photo ${of}`, bytes: photoJp2 },
    { what: `picture ${of}`, bytes: decoded.value.rgb.slice(120_000, 140_000) },
    { what: `embedding ${of}`, bytes: new Uint8Array(embedding.buffer.slice(0)) },
    { what: `照合番号B ${of}`, text: printedNumberB ?? '' },
    { what: `PIN ${of}, as it goes to the card`, bytes: encodeCommand(verify(pinBytes(pin)).apdu) },
    { what: `name ${of}`, text: persona.person.name },
    ...toldBy(persona.id).map((text) => ({ what: `name ${of}, as the service has it`, text })),
    { what: `address ${of}`, text: persona.person.address },
  ];
};

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

type RealLeaks = {
  readonly visits: number;
  readonly byFace: number;
  readonly messages: number;
  /** Told in which form, where */
  readonly hits: readonly string[];
};

/** So often the bundle and figures are asked for: they cost more than a visit. */
const bundleEvery = 25;

/** A terminal with cameras and a face process, and whoever stands before it. */
const openCounter = async () => {
  const parts = new TerminalOnPcscd();
  const { directory } = parts;
  const cardCamera = new CardCamera(directory);
  const faceCamera = await createVirtualCameraControl(join(directory, 'face-camera.sock'), null);
  const socket = join(directory, 'face.sock');
  const camera = { kind: 'virtual', seed: 5, controlSocket: faceCamera.path } as const;
  const face = keepFaceProcess({ profile: 'demo', camera }, socket);
  const idle = () => eventually('an idle terminal', () => (parts.patient.screen === 'idle' ? true : undefined), 60_000);
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
      const { screen } = await parts.patient.follow(looking, ['accepted', 'desk', 'out-of-service', 'outage']);
      faceCamera.setFace(null);
      await cardCamera.show(null);
      await parts.slot.pull();
      await idle();
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

type Hit = (where: string, found: readonly Needle[]) => void;

/** Log, files and memory, after a visit. */
const lookAround = async (
  { parts, face }: Awaited<ReturnType<typeof openCounter>>,
  search: ReturnType<typeof searchFor>,
  hit: Hit,
  loggedBefore: number,
): Promise<void> => {
  for (const line of parts.log.slice(loggedBefore)) hit('log', search(Buffer.from(line)));
  // The レセコン is told a name by right.
  const passes = (path: string): boolean => path.startsWith(join(parts.agent.oqsFolder, 'face'));
  for (const found of searchFolder(search, parts.directory, passes))
    hit(`file ${found.path.slice(parts.directory.length)}`, [found]);
  const { run, link } = parts.processIds;
  for (const [name, pid] of Object.entries({ terminal: run, link, face: face.processId ?? 0 }))
    hit(`memory of ${name}`, await searchMemory(search, pid));
};

const ask = async (...args: readonly string[]): Promise<Buffer> => {
  const how = { encoding: 'buffer', maxBuffer: 1e8 } as const;
  return (await promisify(execFile)(process.execPath, [main, ...args], how)).stdout;
};

/** What goes to a maker and to a collector of figures. */
const lookAtBundle = async (parts: TerminalOnPcscd, search: ReturnType<typeof searchFor>, hit: Hit): Promise<void> => {
  const bundle = join(parts.directory, 'bundle.json.gz');
  await ask('support-bundle', '--config', parts.configFile, '--out', bundle);
  hit('support bundle', searchContent(search, readFileSync(bundle)));
  hit('figures', search(await ask('metrics', '--config', parts.configFile)));
};

/** `prove`: is given all forms of what must be nowhere, before the first visit */
export const searchRealVisits = async (
  visits: number,
  say: (line: string) => void,
  prove: (needles: readonly Needle[]) => Promise<void>,
): Promise<RealLeaks> => {
  const cards = await Promise.all(who.map(cardOf));
  const needles = needlesOf((await Promise.all(cards.map(canariesOf))).flat());
  await prove(needles);
  const search = searchFor(needles);
  const hits = new Set<string>();
  const hit: Hit = (where, found) => {
    for (const { what, encoding } of found) {
      const told = `${what} in ${encoding}, ${where}`;
      if (!hits.has(told)) say(`found: ${told}`);
      hits.add(told);
    }
  };
  const counter = await openCounter();
  const { parts } = counter;
  let [made, byFace, messages] = [0, 0, 0];
  let endListening = async (): Promise<void> => {};
  try {
    await counter.start();
    endListening = await listenIn(parts, (topic, payload) => {
      messages += 1;
      hit(`message ${topic.split('/').at(-1)}`, [...search(Buffer.from(topic)), ...searchContent(search, payload)]);
    });
    for (let logged = 0; made < visits; made += 1) {
      const card = cards[made % cards.length] as MadeCard;
      const seen = await counter.visit(card, (made + Math.floor(made / cards.length)) % 2 === 0 ? 'face' : 'pin');
      if (seen.at(-1) !== 'accepted') say(`visit ${made}: ${seen.join(' ')}`);
      if (seen.includes('face') && !seen.includes('pin')) byFace += 1;
      await lookAround(counter, search, hit, logged);
      logged = parts.log.length;
      if (made % bundleEvery !== 0) continue;
      await lookAtBundle(parts, search, hit);
      say(`${made + 1} visits, ${byFace} by face, ${messages} messages, ${logged} lines of log`);
    }
    if (made > 0 && searchFolder(search, join(parts.agent.oqsFolder, 'face')).length === 0)
      throw new Error('the search does not even see the names that the レセコン is told');
    return { visits: made, byFace, messages, hits: [...hits] };
  } finally {
    await endListening();
    await counter.close();
  }
};
