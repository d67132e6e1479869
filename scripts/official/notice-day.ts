/**
 * npm run notice-day -- --json: a made-up notice of 2027-04-01 (test/fixtures/notices) is laid into a copy of the
 * catalogue; terminal and agent run over its midnight on simulated time: before, across, after, with the terminal's clock
 * ahead and behind. Counted: visits of the hour around midnight that were accepted, those that were asked something else
 * than the notice of their beginning says, or whose file for the レセコン says something else than was consented to.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { catalogueAt, catalogueDir } from '../../src/catalogue/load-catalogue.ts';
import type { ConsentCatalogue } from '../../src/core/catalogue/consent-catalogue.ts';
import { until } from '../beds/simulated-clock.ts';
import { openVisitBed, type VisitBed } from '../beds/visit-bed.ts';
import { catalogueWith } from './check-notice.ts';

const noticeFile = fileURLToPath(new URL('../../test/fixtures/notices/2027-04-01.json', import.meta.url));
const midnightMs = Date.parse('2027-04-01T00:00:00+09:00');
const minuteMs = 60_000;

type NoticeVisit = {
  readonly name: string;
  readonly asked: readonly string[];
  readonly expected: readonly string[];
  readonly accepted: boolean;
  /** Prefixes whose flag in the file is 1, and those that should be */
  readonly flagged: readonly string[];
  readonly expectedFlags: readonly string[];
};

const codesOf = ({ questions }: ConsentCatalogue): string[] => questions.flatMap(({ codes }) => codes).sort();

const flagsOf = ({ items, questions, prefixes }: ConsentCatalogue): string[] => {
  const asked = new Set(questions.flatMap(({ codes }) => codes));
  return items
    .filter(({ code }) => asked.has(code))
    .flatMap(({ carries }) => carries)
    .filter((prefix) => prefixes.includes(prefix))
    .sort();
};

const flagged = (xml: string): string[] =>
  [...xml.matchAll(/<(\w+)ConsFlg>1</g)]
    .flatMap(([, prefix]) => prefix ?? [])
    // These two have elements of their own, beside the consents'.
    .filter((prefix) => !/^(LimitApplication|SpecificDiseases)CertificateRelated$/.test(prefix))
    .sort();

/** Until the terminal waits for a card with challenges in hand. */
const ready = async (bed: VisitBed): Promise<void> => {
  for (let steps = 0; steps < 100 && (steps < 3 || bed.state.name !== 'idle'); steps += 1) {
    await bed.agent.quiet();
    await bed.clock.advance(1_000);
  }
  await bed.see('idle');
};

/** One visit that agrees to everything; `untilMs`: between the card and the first answer the clock goes on to this. */
const visit = async (
  bed: VisitBed,
  name: string,
  dir: string,
  clockErrorMs: number,
  untilMs?: number,
): Promise<NoticeVisit> => {
  const filesBefore = new Set(bed.agent.files());
  const { consents } = catalogueAt(bed.clock.now().wallMs + clockErrorMs, dir);
  await bed.insert('hanako');
  await bed.enterPin('1234');
  await bed.see('consent-bundle', 'consent-item');
  // Signs of life are signed by real cryptography: on a busy machine half a minute at once would leave them unanswered.
  if (untilMs !== undefined) await bed.pass(untilMs - bed.clock.now().wallMs);
  await bed.answerAll('agree');
  await bed.see('accepted', 'desk');
  await bed.agent.quiet();
  const last = bed.visits().at(-1);
  const newFile = () => bed.agent.files().find((each) => !filesBefore.has(each));
  if (last?.outcome === 'eligible') await until('its file', () => newFile() !== undefined);
  const file = newFile();
  const xml = file === undefined ? '' : readFileSync(join(bed.agent.oqsFolder, 'face', file), 'latin1');
  bed.reader.pull();
  await ready(bed);
  return {
    name,
    asked: Object.keys(last?.consents ?? {}).sort(),
    expected: codesOf(consents),
    accepted: last?.verdict === 'accepted',
    flagged: flagged(xml),
    expectedFlags: flagsOf(consents),
  };
};

/** One terminal over one midnight, its clock wrong by so much. */
const night = async (dir: string, clockErrorMs: number): Promise<{ visits: NoticeVisit[]; restarts: number }> => {
  const bed = await openVisitBed({ catalogueDir: dir, startMs: midnightMs - 15 * minuteMs });
  try {
    bed.setClockError(clockErrorMs);
    const { desk } = bed.agent;
    const to = async (ms: number): Promise<void> => {
      await bed.pass(midnightMs + ms - bed.clock.now().wallMs);
      await ready(bed);
    };
    const told = clockErrorMs === 0 ? 'clocks agree' : `terminal ${clockErrorMs / minuteMs} min off`;
    const visits = [await visit(bed, `${told}: before`, dir, clockErrorMs)];
    await to(-4 * minuteMs);
    visits.push(await visit(bed, `${told}: minutes before`, dir, clockErrorMs));
    await to(-0.3 * minuteMs - clockErrorMs);
    visits.push(await visit(bed, `${told}: across`, dir, clockErrorMs, midnightMs + 0.2 * minuteMs - clockErrorMs));
    await to(minuteMs - Math.min(clockErrorMs, 0));
    visits.push(await visit(bed, `${told}: after`, dir, clockErrorMs));
    // Longer than a request lives.
    await to(12 * minuteMs);
    visits.push(await visit(bed, `${told}: long after`, dir, clockErrorMs));
    return { visits, restarts: bed.agent.desk === desk ? 0 : 1 };
  } finally {
    await bed.close();
  }
};

const filesBelow = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)));

/** Which files the notice adds or changes in the catalogue, by what they are. */
const changedFiles = (dir: string): { code: number; data: number } => {
  const changed = filesBelow(dir).filter((file) => {
    try {
      return !readFileSync(join(dir, file)).equals(readFileSync(join(catalogueDir, file)));
    } catch {
      return true;
    }
  });
  const data = changed.filter((file) => file.endsWith('.json')).length;
  return { code: changed.length - data, data };
};

export const noticeDay = async () => {
  const dir = catalogueWith(noticeFile);
  try {
    const nights = [await night(dir, 0), await night(dir, 3 * minuteMs), await night(dir, -3 * minuteMs)];
    const visits = nights.flatMap((each) => each.visits);
    const wrong = visits.filter(
      ({ asked, expected, accepted, flagged: flags, expectedFlags }) =>
        !accepted || asked.join() !== expected.join() || flags.join() !== expectedFlags.join(),
    );
    return {
      changedFiles: changedFiles(dir),
      restarts: nights.reduce((sum, { restarts }) => sum + restarts, 0),
      visitsAcross: visits.length,
      wrongQuestions: wrong.length,
      wrong,
      visits,
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
};

if (process.argv[1] === import.meta.filename) {
  const { visits, wrong, ...figures } = await noticeDay();
  for (const { name, asked, accepted } of visits)
    process.stderr.write(`${name}: asked ${asked.join(' ')}, ${accepted ? 'accepted' : 'not accepted'}\n`);
  for (const each of wrong) process.stderr.write(`wrong: ${JSON.stringify(each)}\n`);
  process.stdout.write(`${JSON.stringify({ profile: 'demo', ...figures })}\n`);
  process.exit(wrong.length === 0 && figures.restarts === 0 && figures.changedFiles.code === 0 ? 0 : 1);
}
