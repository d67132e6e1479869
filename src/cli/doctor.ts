import type { Command } from 'commander';
import { renderUnicodeCompact } from 'uqr';
import { askHealth } from '../../drivers/health-socket.ts';
import { createMqttMessageBus } from '../../drivers/mqtt-message-bus.ts';
import { createPcscCardReader } from '../../drivers/pcsc-card-reader.ts';
import { readTlsFiles } from '../app/device-keys.ts';
import { examine, exitCodeOf, printDiagnoses, verdictOf } from '../app/doctor.ts';
import { freeBytesOf } from '../app/doctor-checks.ts';
import { type HealthReport, healthReportSchema } from '../app/health.ts';
import { type Config, defaultConfigPath } from '../config.ts';
import { type Failure, failure } from '../core/failure.ts';
import { readConfigOrExit } from './config.ts';

const probeMs = 3_000;

const readReport = async (socket: string): Promise<HealthReport | null> => {
  const text = await askHealth(socket, 2_000);
  if (text === null) return null;
  try {
    return healthReportSchema.parse(JSON.parse(text));
  } catch {
    // Somebody else's answer, or that of another version: as good as none.
    return null;
  }
};

/** The first word of `begin`'s listener, or `silent` after a while. */
const firstAnswer = (
  begin: (answer: (trouble: Failure | null) => void) => void,
  silent: () => Failure,
): Promise<Failure | null> =>
  new Promise((resolve) => {
    let last: Failure | null = null;
    const timer = setTimeout(() => resolve(last ?? silent()), probeMs);
    begin((trouble) => {
      last = trouble;
      // A failure may be the state before the first try: waited for until the end.
      if (trouble !== null) return;
      clearTimeout(timer);
      resolve(null);
    });
  });

const probeReader = async (config: Config): Promise<Failure | null> => {
  const reader = createPcscCardReader({ reader: config.cardReader.name });
  const trouble = await firstAnswer(
    (answer) =>
      reader.subscribe((event) => {
        if (event.type === 'reader-found') answer(null);
        if (event.type === 'reader-lost') answer(event.failure);
      }),
    () => failure('reader.lost'),
  );
  await reader.close();
  return trouble;
};

/** Only when no daemon answers: brokers admit a terminal under its own id alone, and the newer connection wins. */
const probeBroker = async ({ broker, device, paths }: Config): Promise<Failure | null> => {
  const bus = createMqttMessageBus({
    host: broker.host,
    port: broker.port,
    ...(broker.serverName === '' ? {} : { serverName: broker.serverName }),
    tls: await readTlsFiles(paths.provisioning),
    clientId: device,
    protocolVersion: broker.protocolVersion,
  });
  const trouble = await firstAnswer(
    (answer) =>
      bus.subscribeConnection((connected, cause) => answer(connected ? null : (cause ?? failure('delivery.offline')))),
    () => failure('delivery.offline'),
  );
  await bus.close();
  return trouble;
};

type DoctorOptions = { readonly config: string; readonly json?: true; readonly qr?: true };

const examineTerminal = async (options: DoctorOptions): Promise<void> => {
  const config = readConfigOrExit(options.config);
  const report = await readReport(config.health.socket);
  const wallMs = Date.now();
  const diagnoses = await examine({
    config,
    report,
    wallMs,
    freeBytes: freeBytesOf,
    pcscdSocket: process.env.PCSCLITE_CSOCK_NAME ?? '/run/pcscd/pcscd.comm',
    probeReader: () => probeReader(config),
    probeBroker: () => probeBroker(config),
  });
  const { facility, device } = config;
  const verdict = verdictOf(diagnoses, { facility, device, version: report?.version ?? '-', wallMs });
  if (options.json)
    process.stdout.write(`${JSON.stringify({ ok: exitCodeOf(diagnoses) === 0, verdict, diagnoses })}\n`);
  else process.stdout.write(printDiagnoses(diagnoses));
  if (options.qr) process.stdout.write(`${renderUnicodeCompact(verdict, { border: 2 })}\n${verdict}\n`);
  process.exit(exitCodeOf(diagnoses));
};

/** `uketsuke doctor`: exit code 0 well or warnings only, 1 a fault, 2 a configuration nobody can read. */
export const register = (program: Command): void => {
  program
    .command('doctor')
    .description('what is wrong with this terminal, why, what helps, and who does it; exit code 1 when something is')
    .option('--config <file>', 'configuration file', defaultConfigPath)
    .option('--json', 'one JSON object')
    .option('--qr', 'the verdict as a QR code as well')
    .action((options: DoctorOptions) => examineTerminal(options));
};
