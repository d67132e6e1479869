import type { Command } from 'commander';
import { createSystemClock } from '../../drivers/host/system-clock.ts';
import { createEventLog } from '../log/event-log.ts';
import { cameraSettingsOf, missingForCamera, openCamera } from '../processes/cameras.ts';
import { counterDrivers } from '../processes/terminal.ts';
import { defaultConfigPath } from '../processes/terminal-config.ts';
import { benchCamera, benchCards, benchKeypad, benchLight } from '../terminal/doctor/bench-parts.ts';
import { cardCryptography } from '../trust/card-cryptography.ts';
import { readConfigOrExit } from './config.ts';
import { tell } from './say.ts';
import { between } from './typed-values.ts';

type Options = { readonly config: string; readonly cards: number; readonly seconds: number; readonly json?: true };

/** Part by part, each only where the configuration names it; what was seen goes to the bring-up sheet. */
const benchDevice = async ({ config: path, cards, seconds, json }: Options): Promise<void> => {
  const config = readConfigOrExit(path);
  const clock = createSystemClock();
  const ms = seconds * 1_000;
  const drivers = await counterDrivers(config, createEventLog({ format: 'silent' }));
  const seen: Record<string, unknown> = { device: config.device, profile: config.profile };
  const missing = missingForCamera(config.camera);
  tell('camera: five seconds …');
  if (missing === null) {
    const camera = await openCamera(cameraSettingsOf(config.camera), config.profile);
    seen.camera = await benchCamera(camera, clock, 5_000);
    await camera.close();
  } else seen.camera = { missing };
  if (drivers.statusLight !== null) {
    tell('status light: look at it, and stand before it');
    seen.statusLight = await benchLight(drivers.statusLight, clock, 1_500);
  }
  if (drivers.keypad !== null) {
    tell('keypad: press every key once, {seconds} s', { seconds });
    seen.keypad = await benchKeypad(drivers.keypad, clock, ms);
  }
  if (drivers.speaker !== null) {
    tell('loudspeaker: a chime and a sentence');
    drivers.speaker.chime('contact');
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, 15_000);
      drivers.speaker?.say([{ language: 'ja', text: 'マイナンバーカードをカードリーダーに置いてください。' }], {
        ended: () => {
          clearTimeout(late);
          resolve();
        },
      });
    });
  }
  const reading = { cardFrontReader: null, trustedCvIssuers: [], cryptography: cardCryptography };
  const told = (read: number): boolean =>
    tell('cards: {read} of {cards}; put the next one down, then take it away', { read, cards });
  seen.cardReader = await benchCards(drivers.cardReader, clock, reading, { count: cards, ms: ms * cards, told });
  await Promise.all(
    [drivers.cardReader, drivers.faceVerifier, drivers.keypad, drivers.statusLight, drivers.speaker].map((part) =>
      part?.close(),
    ),
  );
  process.stdout.write(json ? `${JSON.stringify(seen)}\n` : `${JSON.stringify(seen, null, 2)}\n`);
  process.exit(0);
};

/** `uketsuke bench device`: on the day the real hardware is there. */
export const register = (program: Command): void => {
  program
    .command('bench')
    .description('figures of the parts of a terminal, for the bring-up sheet')
    .command('device')
    .description(
      'reader (card by card), camera, light, keypad and loudspeaker; stop uketsuke.service and uketsuke-face.service before',
    )
    .option('--config <file>', 'configuration file', defaultConfigPath)
    .option('--cards <number>', 'how many cards are put down, one after the other', between(1, 99), 3)
    .option('--seconds <s>', 'time for the keypad, and for each card', between(1, 9_999), 30)
    .option('--json', 'one JSON object')
    .action(benchDevice);
};
