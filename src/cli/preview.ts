import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { createKioskScreen } from '../../drivers/kiosk-screen.ts';
import { catalogueAt } from '../catalogue/load-catalogue.ts';
import { readPlainYaml } from '../config-file/plain-yaml.ts';
import { printProblems, readSettings } from '../config-file/read-settings.ts';
import { drawScreen } from '../core/screen/draw-screen.ts';
import type { Display } from '../core/visit/session.ts';
import { adjusted } from '../core/visit/session-touch.ts';
import { readGiven } from '../storage/read-given.ts';
import { type FacilitySettings, facilitySettingsSchema } from '../wire/facility-settings.ts';
import { type Exhibit, exhibitContext, gallery, gallerySettings } from './preview-gallery.ts';
import { refuse } from './say.ts';
import { portOrAny } from './typed-values.ts';

type PreviewOptions = {
  readonly settings?: string;
  readonly port: number;
  readonly screen?: string;
  readonly language?: string;
  readonly list?: true;
  readonly pageDir: string;
};

const fail = (reason: unknown): never => refuse('preview', reason);

/** JSON or YAML; only what differs from the demo's settings has to stand in it. */
const settingsOf = (path: string | undefined): FacilitySettings => {
  if (path === undefined) return gallerySettings;
  let bytes: Uint8Array;
  try {
    bytes = readGiven(path);
  } catch (error) {
    return fail(error);
  }
  const read = readSettings(facilitySettingsSchema.partial(), bytes);
  if (!read.ok) return fail(printProblems(path, read.failure));
  const plain = readPlainYaml(bytes);
  const written = Object.keys(plain.ok ? (plain.value.value as object) : {});
  const given = Object.entries(read.value).filter(([key]) => written.includes(key));
  return { ...gallerySettings, ...Object.fromEntries(given) };
};

const preview = async (options: PreviewOptions): Promise<void> => {
  const settings = settingsOf(options.settings);
  const catalogue = catalogueAt(Date.now());
  const known = Object.keys(catalogue.languages);
  if (options.language !== undefined && !known.includes(options.language))
    return fail(`no language ${options.language}; there are: ${known.join(', ')}`);
  let display: Display = {
    language: options.language ?? settings.languages[0] ?? 'ja',
    theme: settings.theme,
    textPercent: settings.textPercent,
    voice: 'off',
    loudness: 0,
    layout: 'standard',
  };
  const exhibits = (): readonly Exhibit[] => gallery(settings, catalogue, display);
  const names = exhibits().map(({ name }) => name);
  if (options.list) {
    process.stdout.write(`${names.join('\n')}\n`);
    return;
  }
  const indexOf = (name: string): number => {
    const index = names.findIndex((each) => each === name || each.startsWith(name));
    return index < 0 ? fail(`no screen ${name}; --list names them`) : index;
  };
  let index = indexOf(options.screen ?? 'idle');
  let revision = 0;
  const screen = await createKioskScreen({ port: options.port, pageDir: options.pageDir });
  const show = (): void => {
    const exhibit = exhibits()[index];
    if (exhibit === undefined) return;
    revision += 1;
    screen.show({ ...drawScreen(exhibit.session, exhibitContext(catalogue, exhibit)), revision });
    process.stdout.write(`${index + 1}/${names.length} ${exhibit.name}\n`);
  };
  const go = (to: number): void => {
    index = (to + names.length) % names.length;
    show();
  };
  screen.subscribe((event) => {
    if (event.type !== 'touched') return;
    const { control } = event.touch;
    // The tools work as at the counter; every other touch goes on to the next screen.
    const changed = control === 'repeat' ? display : adjusted(display, event.touch, known);
    if (changed === null) return go(index + 1);
    display = changed;
    show();
  });
  process.stdout.write(`http://127.0.0.1:${screen.port}/  Enter: next, b: back, a name: go there, Ctrl-D: end\n`);
  show();
  process.stdin.setEncoding('utf8');
  for await (const text of process.stdin)
    for (const line of String(text).split('\n').slice(0, -1)) {
      const word = line.trim();
      if (word === '') go(index + 1);
      else if (word === 'b') go(index - 1);
      else if (names.some((name) => name.startsWith(word))) go(indexOf(word));
    }
  await screen.close();
};

export const register = (program: Command): void => {
  program
    .command('preview')
    .description('every screen of a facility settings file, in the browser, without card or clinic')
    .option('--settings <file>', 'facility settings (JSON or YAML); what is left out is as in the demo')
    .option('--port <number>', 'TCP port on 127.0.0.1', portOrAny, 8482)
    .option('--screen <name>', 'the screen to begin with')
    .option('--language <code>', 'ja, ja-easy, en …')
    .option('--list', 'names the screens and ends')
    .option('--page-dir <dir>', 'the built page', fileURLToPath(new URL('../../dist/screens', import.meta.url)))
    .action((options: PreviewOptions) => preview(options));
};
