/**
 * npm run oqs-corpus -- --json: request files as programs of many makers write them, laid into req/ of the real inquiry
 * desk; each has its right answer. Results are read again by strict readers of others (xmllint, Ruby's REXML), where they
 * are installed. `silent`: files that got neither an answer nor a word on the staff page; `wrong`: another answer.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InquiryDesk } from '../../src/agent/oqs-folder/answer-inquiries.ts';
import { requestOf } from '../../src/agent/oqs-folder/request-files.ts';
import { type AgentBed, decodedOqs, makeAgentBed } from '../beds/agent-bed.ts';
import { lainLong } from '../beds/lain-long.ts';
import { asked, type CorpusFile, corpus, named } from './oqs-request-files.ts';

/** Programs of others that refuse what breaks the standard. `null`: not installed. */
const strictReaders: Readonly<Record<string, readonly string[]>> = {
  xmllint: ['xmllint', '--noout'],
  rexml: ['ruby', '-rrexml/document', '-e', 'ARGV.each { |f| REXML::Document.new(File.binread(f)) }'],
};
const reads = ([program = '', ...args]: readonly string[], paths: readonly string[]): boolean | null => {
  const run = spawnSync(program, [...args, ...paths], { timeout: 60_000 });
  return run.error === undefined ? run.status === 0 : null;
};
/** Which readers are there, and by path which of them refuse it. All files at once: only where one is refused, each by itself. */
const readAgain = (paths: readonly string[]) => {
  const readers: string[] = [];
  const refused = new Map<string, string[]>();
  for (const [name, command] of Object.entries(strictReaders)) {
    const all = reads(command, paths);
    if (all === null) continue;
    readers.push(name);
    if (all) continue;
    for (const path of paths) if (!reads(command, [path])) refused.set(path, [...(refused.get(path) ?? []), name]);
  }
  return { readers, refused };
};

const isTold = (desk: InquiryDesk, bed: AgentBed, name: string): boolean =>
  desk.folderFaults.length > 0 && existsSync(join(bed.oqsFolder, 'req', name));

type Outcome = {
  readonly name: string;
  readonly outcome: 'answered' | 'told' | 'silent' | 'wrong';
  readonly why?: string;
  /** Path of the answer */
  readonly answer?: string;
};

const play = async ({ name, bytes, expected }: CorpusFile, bed: AgentBed): Promise<Outcome> => {
  const desk = new InquiryDesk(bed.context);
  const path = join(bed.oqsFolder, 'req', name);
  writeFileSync(path, bytes);
  lainLong(path);
  await desk.poll();
  const result = requestOf(name)?.resultName;
  const answer = result === undefined ? undefined : join(bed.oqsFolder, 'res', result);
  if (answer === undefined || !existsSync(answer)) {
    if ('told' in expected && isTold(desk, bed, name)) return { name, outcome: 'told' };
    return { name, outcome: isTold(desk, bed, name) ? 'wrong' : 'silent', why: 'no answer' };
  }
  const text = decodedOqs(readFileSync(answer)).replaceAll(/&#x([0-9A-F]+);/g, (_, code: string) =>
    String.fromCodePoint(Number.parseInt(code, 16)),
  );
  if ('told' in expected) return { name, outcome: 'wrong', why: 'answered' };
  const missing = expected.answer.filter((part) => !text.includes(part));
  if (missing.length > 0) return { name, outcome: 'wrong', why: `the answer has no ${missing.join(', ')}` };
  return { name, outcome: 'answered', answer };
};

/** A file that grows: nothing is said of it while it is young, and it is answered once it is whole. */
const playGrowing = async (bed: AgentBed): Promise<Outcome> => {
  const name = named('growing');
  const desk = new InquiryDesk(bed.context);
  const path = join(bed.oqsFolder, 'req', name);
  const answer = join(bed.oqsFolder, 'res', 'OQSsiquc01res_growing.xml');
  for (const part of [10, 200, asked.length - 1]) {
    writeFileSync(path, asked.subarray(0, part));
    await desk.poll();
    if (existsSync(answer) || !existsSync(path)) return { name, outcome: 'wrong', why: 'answered before it was whole' };
  }
  writeFileSync(path, asked);
  await desk.poll();
  return existsSync(answer) ? { name, outcome: 'answered' } : { name, outcome: 'silent' };
};

export const playCorpus = async () => {
  const bed = await makeAgentBed();
  try {
    const played: Outcome[] = [];
    for (const each of corpus) played.push(await play(each, bed));
    const { readers, refused } = readAgain(played.flatMap(({ answer }) => answer ?? []));
    played.push(await playGrowing(bed));
    const outcomes = played.map((each): Outcome => {
      const by = refused.get(each.answer ?? '');
      return by === undefined ? each : { name: each.name, outcome: 'wrong', why: `refused by ${by.join(', ')}` };
    });
    return { outcomes, readers, left: readdirSync(join(bed.oqsFolder, 'req')) };
  } finally {
    bed.close();
  }
};

if (process.argv[1] === import.meta.filename) {
  const { outcomes, readers } = await playCorpus();
  const count = (outcome: Outcome['outcome']): number => outcomes.filter((each) => each.outcome === outcome).length;
  for (const { name, outcome, why } of outcomes)
    if (outcome !== 'answered') process.stderr.write(`${outcome}: ${name}${why === undefined ? '' : ` (${why})`}\n`);
  process.stderr.write(`read again by: ${readers.join(', ') || 'nobody (xmllint and ruby are not installed)'}\n`);
  const figures = {
    files: outcomes.length,
    answered: count('answered') + count('told'),
    silent: count('silent'),
    wrong: count('wrong'),
  };
  process.stdout.write(`${JSON.stringify({ profile: 'demo', ...figures, toldOnThePage: count('told'), readers })}\n`);
  process.exit(figures.silent === 0 && figures.wrong === 0 && figures.files >= 40 ? 0 : 1);
}
