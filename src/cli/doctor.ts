import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { renderUnicodeCompact } from 'uqr';
import { probePcscd } from '../../drivers/card-reader/pcscd-probe.ts';
import { askReport, partsSocketOf } from '../../drivers/host/health-socket.ts';
import { seeWay } from '../../drivers/host/way-evidence.ts';
import { filledIn, inStaffWords } from '../catalogue/faults.ts';
import { printProblems } from '../config-file/read-settings.ts';
import { ok } from '../core/result.ts';
import { missingForCamera } from '../processes/cameras.ts';
import { type Config, defaultConfigPath, loadConfig } from '../processes/terminal-config.ts';
import { freeBytesIn } from '../storage/free-bytes.ts';
import { diagnosisOf, examine, exitCodeOf, printDiagnoses, verdictOf } from '../terminal/doctor/doctor.ts';
import { doctorChecks } from '../terminal/doctor/doctor-checks.ts';
import type { Diagnosis, DoctorCheck } from '../terminal/doctor/examination.ts';
import { healthReportSchema, linkReportSchema, partsTriedSchema } from '../terminal/doctor/health.ts';
import { clinicChecks, isClinicAlone, shutOnTheWay } from '../terminal/doctor/machine-checks.ts';
import type { PartsTried } from '../terminal/visit/try-parts.ts';
import { readConfigOrExit } from './config.ts';
import { leftMs } from './doctor-budget.ts';
import { tryOwnParts } from './doctor-parts.ts';
import { probeBroker, probeReader, thisMachine } from './doctor-probes.ts';
import { inWords, inWordsOf, speaksJapanese } from './say.ts';

/** A part that runs answers at once. ms */
const healthMs = 1_000;
/** It answers within a millisecond, or is begun by the question. ms */
const pcscdMs = 2_500;
/** To judge what came of trying the parts, and to tell it. ms */
const lastWordMs = 300;

type DoctorOptions = { readonly config: string; readonly json?: true; readonly qr?: true };

/** Whatever was not tried by then is told as not tried, and as no fault. */
const within = <T>(ms: number, work: Promise<T>): Promise<T | null> => {
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(() => late.resolve(null), ms);
  return Promise.race([work.catch(() => null), late.promise]).finally(() => clearTimeout(timer));
};

/** Begins at once; the terminal's own answer, else by hand. */
const partsTriedBy = (config: Config): (() => Promise<PartsTried | null>) => {
  const ms = leftMs() - lastWordMs;
  const asked = askReport(partsTriedSchema, partsSocketOf(config.health.socket), ms);
  const tried = within(
    ms,
    asked.then((told) => told ?? tryOwnParts(config)),
  );
  return () => tried;
};

const probesOf = (config: Config) => ({
  tryParts: partsTriedBy(config),
  freeBytes: freeBytesIn,
  askPcscd: () => probePcscd(process.env.PCSCLITE_CSOCK_NAME ?? '/run/pcscd/pcscd.comm', pcscdMs),
  missingForCamera: () => missingForCamera(config.camera),
  probeReader: () => probeReader(config),
  probeBroker: () => probeBroker(config),
  seeWay,
  machine: thisMachine,
});

/** What the staff page says of a code, and the technician's commands after it. */
const inLocale = (each: Diagnosis): Diagnosis => {
  const staff = 'fault' in each && speaksJapanese() ? inStaffWords(each.fault) : null;
  if (staff === null || !('fault' in each)) return each;
  const technician = each.steps.map((step) => inWordsOf(step));
  return { ...each, cause: staff.cause, remedy: [...staff.remedy, ...technician].join('。') };
};

const tell = (options: DoctorOptions, diagnoses: readonly Diagnosis[], verdict: string): never => {
  const told = diagnoses.map((each) =>
    'fault' in each
      ? {
          ...each,
          remedy: filledIn(each.remedy, each.where),
          steps: each.steps.map((step) => filledIn(step, each.where)),
        }
      : each,
  );
  if (options.json)
    process.stdout.write(`${JSON.stringify({ ok: exitCodeOf(diagnoses) === 0, verdict, diagnoses: told })}\n`);
  else process.stdout.write(printDiagnoses(diagnoses.map(inLocale), inWordsOf));
  if (options.qr) process.stdout.write(`${renderUnicodeCompact(verdict, { border: 2 })}\n${verdict}\n`);
  process.exit(exitCodeOf(diagnoses));
};

/** Whatever can be told without a configuration, by the defaults; `first`: what is known already. */
const examineByDefaults = async (
  options: DoctorOptions,
  first: readonly Diagnosis[],
  checks: Readonly<Record<string, DoctorCheck>>,
): Promise<void> => {
  const loaded = loadConfig('facility: unconfigured\ndevice: unconfigured\nbroker:\n  host: localhost\n');
  if (!loaded.ok) throw new Error('the defaults of the configuration are not valid');
  const root = join(import.meta.dirname, '../..');
  const paths = { ...loaded.value.paths, models: join(root, 'models'), screens: join(root, 'dist/screens') };
  const config = { ...loaded.value, paths };
  const wallMs = Date.now();
  const examination = { config, report: null, linkReport: null, wallMs, ...probesOf(config) };
  const diagnoses = [...first, ...(await examine(examination, leftMs(), checks))];
  tell(options, diagnoses, verdictOf(diagnoses, { facility: '-', device: '-', version: '-', wallMs }));
};

/**
 * Where there is no configuration that holds: that fault, then what can be told all the same, of the parts of the program
 * itself and of the reader.
 */
const examineWithout = (
  options: DoctorOptions,
  fault: 'config.missing' | 'config.invalid',
  detail: string,
): Promise<void> => {
  const { models, pcscd, screen, fonts, program } = doctorChecks;
  const reader: DoctorCheck = async (examination) => {
    const finding = await doctorChecks.reader(examination);
    // Whether one was named nobody knows without the configuration.
    const isUnnamed = finding.state === 'found' && finding.fault === 'reader.several-unnamed';
    return isUnnamed ? { state: 'ok', detail: finding.detail } : finding;
  };
  const first = [diagnosisOf('config', { state: 'found', fault, detail })];
  return examineByDefaults(options, first, { models, pcscd, reader, screen, fonts, program });
};

/** Three processes read the file, each as its own user; the doctor may be root. */
const shutFromTerminal = async (path: string): Promise<string | null> =>
  (await thisMachine.userId('uketsuke')) === null ? null : shutOnTheWay(path, 4);

/** What lies there is no file: that is told as any other mistake in it. null: a file, or nobody who asks may look. */
const inPlaceOf = async (path: string): Promise<string | null> => {
  const is = path === '-' ? null : await stat(path).catch(() => null);
  return is === null || is.isFile() || is.isFIFO() || is.isCharacterDevice() ? null : `${path}: no file`;
};

/**
 * Whether somebody sees less of an installed terminal than a doctor must: to him all that is shut looks broken.
 * `terminalUid`: of the terminal's own process, which asks for a support bundle; null: not installed
 */
export const seesTooLittle = (uid: number | undefined, terminalUid: number | null): boolean =>
  terminalUid !== null && uid !== undefined && uid !== 0 && uid !== terminalUid;

const examineTerminal = async (options: DoctorOptions): Promise<void> => {
  if (options.config === defaultConfigPath && seesTooLittle(process.getuid?.(), await thisMachine.userId('uketsuke'))) {
    process.stderr.write(`${inWords('{path}: no right to it: as root (sudo)?', { path: 'uketsuke doctor' })}\n`);
    process.exit(2);
  }
  if (!existsSync(options.config) && options.config === defaultConfigPath)
    return (await isClinicAlone(thisMachine))
      ? examineByDefaults(options, [], clinicChecks)
      : examineWithout(options, 'config.missing', options.config);
  const instead = await inPlaceOf(options.config);
  if (instead !== null) return examineWithout(options, 'config.invalid', instead);
  const bytes = options.config === '-' ? null : await readFile(options.config).catch(() => null);
  // A file that was named, and that cannot be read by whoever runs this: told in a line.
  const loaded = bytes === null ? ok(readConfigOrExit(options.config)) : loadConfig(bytes);
  if (!loaded.ok) {
    const [first = ''] = printProblems(options.config, loaded.failure).split('\n');
    return examineWithout(options, 'config.invalid', first);
  }
  const config = loaded.value;
  const probes = probesOf(config);
  const [report, linkReport] = await Promise.all([
    askReport(healthReportSchema, config.health.socket, healthMs),
    askReport(linkReportSchema, config.link.health, healthMs),
  ]);
  const wallMs = Date.now();
  const shut = await shutFromTerminal(options.config);
  const diagnoses = await examine({ config, report, linkReport, wallMs, ...probes }, leftMs(), {
    ...(shut !== null && {
      config: async () => ({
        ...{ state: 'found' as const, fault: 'config.unreadable' as const, detail: shut },
        where: { path: shut },
      }),
    }),
    ...doctorChecks,
  });
  const { facility, device } = config;
  tell(options, diagnoses, verdictOf(diagnoses, { facility, device, version: report?.version ?? '-', wallMs }));
};

/** `uketsuke doctor`: exit code 0 well or warnings only, 1 a fault, 2 a file that was named and cannot be read, or whoever asks is not root. */
export const register = (program: Command): void => {
  program
    .command('doctor')
    .description('what is wrong with this terminal, why, what helps, and who does it; exit code 1 when something is')
    .option('--config <file>', 'configuration file', defaultConfigPath)
    .option('--json', 'one JSON object')
    .option('--qr', 'the verdict as a QR code as well')
    .action((options: DoctorOptions) => examineTerminal(options));
};
