import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { runProgram } from '../../drivers/host/run-program.ts';
import { hasSoundCard } from '../../drivers/speaker/sound-card.ts';
import { faultNames } from '../catalogue/faults.ts';
import type { AdjustableLog } from '../log/event-log.ts';
import { logEvents } from '../log/log-events.ts';
import { makeSupportBundle } from '../log/support-bundle.ts';
import { freeBytesIn } from '../storage/free-bytes.ts';
import type { HealthReport } from '../terminal/doctor/health.ts';
import { inspectOwnParts } from '../terminal/doctor/own-parts.ts';
import type { SessionParts } from '../terminal/visit/session-parts.ts';
import { type FigureName, type TerminalFigures, terminalFigures } from '../wire/figures.ts';
import { prometheusText } from '../wire/prometheus-text.ts';
import { version } from './release.ts';
import type { Config } from './terminal-config.ts';

/** What the parts say of themselves now; what is not known yet is null. */
type Sources = {
  readonly report: () => HealthReport;
  readonly wallMs: () => number;
  readonly certificateEndsMs: () => number | null;
  /** Requests of the outbox */
  readonly waiting: () => number;
};

/** Counted from the event log, from the start of the process on. */
const countEvents = (log: AdjustableLog): (() => TerminalFigures) => {
  const counts: Partial<Record<FigureName, number>> = {
    visits_accepted_total: 0,
    visits_refused_total: 0,
    visits_desk_total: 0,
    visits_cancelled_total: 0,
    parts_lost_total: 0,
    warnings_total: 0,
    errors_total: 0,
  };
  const more = (name: FigureName): void => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  const outcomes: Readonly<Record<string, FigureName>> = {
    accepted: 'visits_accepted_total',
    refused: 'visits_refused_total',
    'sent-to-desk': 'visits_desk_total',
    cancelled: 'visits_cancelled_total',
  };
  log.subscribe((name, fields) => {
    const outcome = outcomes[String(fields.outcome)];
    if (name === 'session.ended' && outcome !== undefined) more(outcome);
    if (name === 'part.lost') more('parts_lost_total');
    if (logEvents[name].level === 'warn') more('warnings_total');
    if (logEvents[name].level === 'error') more('errors_total');
  });
  return () => ({ ...counts });
};

const is = (there: boolean): number => (there ? 1 : 0);

const figuresOf = (
  now: HealthReport,
  { endsMs, wallMs }: { readonly endsMs: number | null; readonly wallMs: number },
): TerminalFigures => ({
  up_seconds: Math.round(now.upMs / 1_000),
  memory_bytes: process.memoryUsage.rss(),
  ...(endsMs !== null && { certificate_left_seconds: Math.round((endsMs - wallMs) / 1_000) }),
  ...(now.time !== undefined && { clock_ahead_seconds: Math.round(now.time.machineAheadMs / 1_000) }),
  reader_up: is(now.cardReader.present),
  face_up: is(now.face.trouble === null),
  screen_up: is(now.screen.connected),
  keypad_up: is(now.keypad.present),
  light_up: is(now.statusLight.present),
  broker_up: is(now.broker.present),
  agent_up: is(now.agentAnswers && !now.agentTrouble),
  card_resets_total: now.slot?.cardResets ?? 0,
});

/** Prometheus' text of a terminal's own figures. */
export const metricsOf = (now: TerminalFigures): string =>
  prometheusText(
    (Object.keys(terminalFigures) as FigureName[]).map((name) => ({
      name: `uketsuke_terminal_${name}`,
      ...terminalFigures[name],
      samples: now[name] === undefined ? [] : [{ value: now[name] }],
    })),
  );

const bootId = (): string | undefined => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
};

/** What the terminal knows of the machine it runs on: its figures, its parts, how it is begun anew. */
export const terminalMachine = (config: Config, log: AdjustableLog, sources: Sources) => {
  const { report, wallMs, certificateEndsMs, waiting } = sources;
  const counts = countEvents(log);
  const freeBytes = (): Promise<number> => freeBytesIn(process.env.STATE_DIRECTORY ?? dirname(config.paths.store));
  let storeFreeBytes: number | undefined;
  const figures = (): TerminalFigures => ({
    ...counts(),
    requests_waiting: waiting(),
    ...figuresOf(report(), { endsMs: certificateEndsMs(), wallMs: wallMs() }),
    ...(storeFreeBytes !== undefined && { store_free_bytes: storeFreeBytes }),
  });
  const inspect = () =>
    inspectOwnParts({
      ...{ report: report(), wallMs: wallMs(), certificateEndsMs: certificateEndsMs(), freeBytes, hasSoundCard },
      speaker: config.speaker.driver,
    });
  const supportBundle = async (): Promise<Uint8Array> => {
    const found = Object.entries(await inspect());
    return makeSupportBundle({
      about: { version, profile: config.profile, device: config.device, state: report().state, node: process.version },
      diagnoses: found.map(([check, fault]) => ({ check, state: fault === null ? 'ok' : 'fault', fault })),
      faults: new Set(faultNames),
      figures: figures(),
      configuration: config,
      log: log.recent(),
    });
  };
  const boot = bootId();
  const machine: NonNullable<SessionParts['machine']> = {
    ...(boot !== undefined && { boot }),
    log,
    supportBundle,
    ...(config.machine.reboot.length > 0 && {
      reboot: () => {
        const [program = '', ...words] = config.machine.reboot;
        // What it could not do shows as a machine that runs on.
        runProgram(program, words, { limitMs: 15_000 });
      },
    }),
  };
  return {
    inspect,
    machine,
    figures,
    /** Measured anew; what takes a moment is at most as old as the last call. */
    measure: async (): Promise<TerminalFigures> => {
      storeFreeBytes = await freeBytes().catch(() => undefined);
      return figures();
    },
    metrics: (): string => metricsOf(figures()),
  };
};
