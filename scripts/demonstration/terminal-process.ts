import { readFileSync } from 'node:fs';
import { createSocketFaceVerifier } from '../../drivers/face-verifier/socket-face-verifier.ts';
import { type MadeCard, makeCard } from '../../drivers/virtual/card-maker.ts';
import type { CardTiming } from '../../drivers/virtual/card-timing.ts';
import { isFaceId, loadFaceGrey } from '../../drivers/virtual/faces.ts';
import { personas } from '../../drivers/virtual/personas.ts';
import { ensureTestAuthority } from '../../drivers/virtual/test-authority.ts';
import { createVirtualCardFrontReader } from '../../drivers/virtual/virtual-card-front-reader.ts';
import { createVirtualCardReader } from '../../drivers/virtual/virtual-card-reader.ts';
import { createVirtualKeypad } from '../../drivers/virtual/virtual-keypad.ts';
import { createVirtualStatusLight } from '../../drivers/virtual/virtual-status-light.ts';
import { printProblems } from '../../src/config-file/read-settings.ts';
import { delays } from '../../src/core/visit/delays.ts';
import { createEventLog } from '../../src/log/event-log.ts';
import { openTapeFile } from '../../src/processes/record-visits-to-file.ts';
import { startTerminal } from '../../src/processes/terminal.ts';
import { loadConfig } from '../../src/processes/terminal-config.ts';

/* The terminal of the demo: the daemon as it is, with virtual hardware at the lowest level, in a process of its own. */

export type ToTerminal =
  | { readonly type: 'insert'; readonly persona: string }
  | { readonly type: 'pull' }
  | { readonly type: 'unplug-reader' }
  | { readonly type: 'plug-reader' }
  | { readonly type: 'keypad'; readonly key: number };

export type FromTerminal =
  | { readonly type: 'ready'; readonly screenPort: number }
  | { readonly type: 'light'; readonly pattern: string }
  /** Where the card has a timing: what wire and chip took for one command, and when they were asked. ms since 1970 UTC */
  | { readonly type: 'apdu'; readonly deviceMs: number; readonly atMs: number };

export type TerminalStart = {
  readonly configFile: string;
  readonly authorityFolder: string;
  readonly keyFolder: string;
  /** The day by which cards are made, where it is not this process's own. ms since 1970 UTC */
  readonly cardsMs?: number;
  /** The visits are written down there, as by `uketsuke visit record` */
  readonly tape?: string;
  /** How long cards and their wire take; without it no time at all */
  readonly timing?: CardTiming;
  /** Who presses is no person, and needs no protection from a finger that trembles: this in place of 0.8 s. ms */
  readonly otherButtonsMs?: number;
};

const start = JSON.parse(process.argv[2] ?? '{}') as TerminalStart;
const configText = readFileSync(start.configFile, 'utf8');
const config = loadConfig(configText);
if (!config.ok) {
  process.stderr.write(printProblems(start.configFile, config.failure));
  process.exit(2);
}

if (start.otherButtonsMs !== undefined) Object.assign(delays, { otherButtonsMs: start.otherButtonsMs });

const authority = await ensureTestAuthority(start.authorityFolder);
const cards = new Map<string, Promise<MadeCard>>();

/** Cards keep their PIN counters while the demo runs, as in a patient's pocket. */
const cardOf = (id: string): Promise<MadeCard> => {
  const persona = personas.get(id);
  if (persona === undefined) throw new Error(`no persona ${id}`);
  const made = cards.get(id) ?? make(persona);
  cards.set(id, made);
  return made;
};
const make = async (persona: Parameters<typeof makeCard>[0]['persona']): Promise<MadeCard> => {
  const photo = persona.face !== null && isFaceId(persona.face) ? await loadFaceGrey(persona.face) : null;
  return makeCard({ persona, authority, keyFolder: start.keyFolder, photo, wallMs: start.cardsMs ?? Date.now() });
};

const log = createEventLog({ format: 'json', level: 'debug' });
const cardFrontReader = createVirtualCardFrontReader();
const keypad = createVirtualKeypad();
const tell = (message: FromTerminal): void => void process.send?.(message);
const cardReader = createVirtualCardReader(
  start.timing === undefined
    ? {}
    : {
        timing: start.timing,
        onApdu: ({ deviceMs }) => {
          if (deviceMs !== undefined)
            tell({ type: 'apdu', deviceMs, atMs: performance.timeOrigin + performance.now() });
        },
      },
);
const statusLight = createVirtualStatusLight((pattern) => tell({ type: 'light', pattern }));

const terminal = await startTerminal(
  config.value,
  {
    cardReader,
    cardFrontReader,
    faceVerifier: createSocketFaceVerifier({ path: config.value.face.socket, log }),
    smartphoneReader: null,
    keypad,
    statusLight,
    speaker: null,
  },
  log,
);

const tape = start.tape === undefined ? null : openTapeFile(start.tape);
const stopTape = tape?.record(terminal.runner, (why) => void process.stderr.write(`${why}\n`)) ?? (() => {});

const obey = async (order: ToTerminal): Promise<void> => {
  switch (order.type) {
    case 'insert': {
      const made = await cardOf(order.persona);
      cardFrontReader.show(made.printedNumberB);
      return cardReader.insert(made.card);
    }
    case 'pull':
      return cardReader.pull();
    case 'unplug-reader':
      return cardReader.unplug();
    case 'plug-reader':
      return cardReader.plug();
    case 'keypad':
      return keypad.press(order.key);
    default:
      return order satisfies never;
  }
};

process.on('message', (order: ToTerminal) => void obey(order));
const stop = async (): Promise<void> => {
  await terminal.close();
  stopTape();
  process.exit(0);
};
process.on('disconnect', () => void stop());
process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => {});
tell({ type: 'ready', screenPort: terminal.screenPort });
