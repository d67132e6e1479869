import { readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { askReport } from '../../drivers/host/health-socket.ts';
import { createSystemClock } from '../../drivers/host/system-clock.ts';
import { bootLoaderBuiltMs } from '../../drivers/update-board/board-boot-loader.ts';
import { inspectBundle } from '../../drivers/update-board/rauc-bundle.ts';
import { createRaucUpdateBoard, deviceUpdatePlaces } from '../../drivers/update-board/rauc-update-board.ts';
import { statusOf } from '../catalogue/update-status.ts';
import { isBootLoaderTooOld } from '../core/update/boot-loader.ts';
import { hoursNow, openingHoursOf } from '../core/update/closed-hours.ts';
import { chooseBundle } from '../core/update/judge-bundle.ts';
import type { Bundle, Surroundings } from '../core/update/update.ts';
import { updateDelays } from '../core/update/update-delays.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Clock } from '../ports/clock.ts';
import { makeFolderSync } from '../storage/make-folder.ts';
import { replaceDurably } from '../storage/rename-durably.ts';
import { type HealthReport, healthReportSchema } from '../terminal/doctor/health.ts';
import { createUpdateRunner } from '../terminal/update/update-runner.ts';
import { compatibleOf } from './compatible.ts';
import { version } from './release.ts';
import { startRound } from './rounds.ts';
import type { Config } from './terminal-config.ts';

/** Who is served and whether the clinic is open changes slowly. ms */
const lookAroundMs = 5_000;
/** A bundle is read whole to know it. ms */
const lookIntoFolderMs = 60_000;
/** The terminal answers at once, or hangs. ms */
const healthAnswerMs = 2_000;
const healthOf = (socket: string): Promise<HealthReport | null> =>
  askReport(healthReportSchema, socket, healthAnswerMs);

const isWell = (report: HealthReport | null, isTrial: boolean): boolean => {
  if (report === null || !report.agentAnswers || report.broker.trouble !== null) return false;
  // On trial the clinic's end orders a test request as soon as it hears of it; before, what runs has served all day.
  return isTrial ? report.lastTest?.ok === true : report.state === 'idle';
};

/**
 * What stands in the way of an update, or does not, by what the terminal says of itself (null: it says nothing). `machineMs`:
 * the machine's own clock, ms since 1970.
 */
export const surroundingsOf = (
  report: HealthReport | null,
  config: Pick<Config, 'updates' | 'lane'>,
  machineMs: number,
): Surroundings => {
  const { certainty, machineAheadMs } = report?.time ?? { certainty: 'doubted' as const, machineAheadMs: 0 };
  const time = { wallMs: machineMs - machineAheadMs, certainty };
  const release = report?.release;
  return {
    // What waits to be sent is sent first, by the release that signed it.
    isIdle: report?.state === 'idle' && report.figures?.requests_waiting === 0,
    hours: hoursNow(time, openingHoursOf(config.updates), updateDelays.beforeOpeningMs),
    wave: release !== undefined && release.lane !== null && config.lane <= release.lane ? 'go' : 'wait',
    agentVersion: release?.version ?? null,
  };
};

/** What lies in the folder, each file inspected once as long as it is the same. */
const createFolder = (folder: string) => {
  const known = new Map<string, { readonly stamp: string; readonly bundle: Bundle }>();
  const look = async (): Promise<readonly Bundle[]> => {
    let names: string[] = [];
    try {
      names = readdirSync(folder).filter((name) => name.endsWith('.raucb'));
    } catch {
      // No folder, no updates.
    }
    for (const path of known.keys()) if (!names.some((name) => join(folder, name) === path)) known.delete(path);
    for (const path of names.map((name) => join(folder, name))) {
      const { size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { size: 0, mtimeMs: 0 };
      const stamp = `${size} ${mtimeMs}`;
      if (known.get(path)?.stamp === stamp) continue;
      const bundle = await inspectBundle(path);
      if (bundle !== null) known.set(path, { stamp, bundle });
    }
    return [...known.values()].map(({ bundle }) => bundle);
  };
  return { look, pathOf: (id: string) => [...known].find(([, { bundle }]) => bundle.id === id)?.[0] ?? null };
};

const tellStatus = (path: string, status: object): void => {
  makeFolderSync(dirname(path));
  replaceDurably(path, JSON.stringify(status), 0o644);
};

/**
 * `uketsuke update run`: looks into the folder of bundles and carries out what the update machine decides. Throws when this
 * device has no two slots.
 */
export const startUpdates = async (config: Config, log: EventLog, clock: Clock = createSystemClock()) => {
  log.event('process.started', { process: 'update', version, profile: config.profile });
  const { updates } = config;
  const folder = createFolder(updates.folder);
  let isTrial = false;
  const loaderBuiltMs = bootLoaderBuiltMs();
  const board = createRaucUpdateBoard({
    places: deviceUpdatePlaces,
    ...{ version, compatible: compatibleOf(), pathOf: folder.pathOf },
    askHealth: async () => isWell(await healthOf(config.health.socket), isTrial),
  });
  const runner = createUpdateRunner({ board, clock }, (update, event) => {
    isTrial = update.board.booted !== update.board.standard;
    const status = statusOf(update, loaderBuiltMs);
    const isNews = event.type !== 'SurroundingsChanged' || status.state !== 'current';
    if (isNews) log.event('update.step', { state: status.state, on: event.type, wait: status.wait });
    // Nobody is served before the release has proved itself: the terminal looks at this file.
    if (!isTrial && update.state.name !== 'starting') rmSync(updates.trialMark, { force: true });
    tellStatus(updates.status, status);
  });
  await runner.start();
  let offered: string | null = null;
  const ends = [
    startRound(clock, lookAroundMs, 'at-once', async () =>
      runner.tell({
        type: 'SurroundingsChanged',
        surroundings: {
          ...surroundingsOf(await healthOf(config.health.socket), config, clock.now().wallMs),
          isBootLoaderTooOld: isBootLoaderTooOld(loaderBuiltMs),
        },
      }),
    ),
    startRound(clock, lookIntoFolderMs, 'at-once', async () => {
      const bundle = chooseBundle(await folder.look(), runner.update());
      if ((bundle?.id ?? null) === offered) return;
      offered = bundle?.id ?? null;
      runner.tell(bundle === null ? { type: 'BundleWithdrawn' } : { type: 'BundleOffered', bundle });
    }),
  ];
  const retry = (): void => runner.tell({ type: 'RetryAsked' });
  process.on('SIGHUP', retry);
  return {
    close: async (): Promise<void> => {
      process.off('SIGHUP', retry);
      for (const end of ends) end();
      runner.close();
    },
  };
};
