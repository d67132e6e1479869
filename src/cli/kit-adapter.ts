import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { runProgram } from '../../drivers/host/run-program.ts';
import type { LinePipe } from '../kit/adapter/adapter-lines.ts';
import { adapterRules } from '../kit/adapter/adapter-rules.ts';
import { type AdapterPeople, checkAdapter } from '../kit/adapter/check-adapter.ts';
import { AnswerRecorder } from '../kit/adapter/record-answers.ts';
import { splitLines } from '../kit/adapter/split-lines.ts';
import { printFindings } from '../kit/finding.ts';
import { parseJsonFile } from '../storage/parse-file.ts';
import { readGiven } from '../storage/read-given.ts';
import { inWords, speaksJapanese } from './say.ts';

export type AdapterOptions = { readonly people: string; readonly record?: string };

const personSchema = z.strictObject({
  certificateSerial: z.string(),
  /** DER, base64; where the test system wants it */
  authCertificate: z.string().optional(),
  birthdate: z.string().regex(/^\d{8}$/),
  inquiry: z.strictObject({
    insurerNumber: z.string(),
    insuredIdentificationNumber: z.string(),
    insuredCardSymbol: z.string().optional(),
    insuredBranchNumber: z.string().optional(),
  }),
});
const peopleSchema = z.strictObject({
  registered: personSchema,
  other: personSchema,
  unregistered: personSchema,
  nobody: z.string(),
});

/** An adapter whose input is closed has so long for what it still does. ms */
const endsWithinMs = 10_000;

/** What JSON editors of Windows put before a file is no part of it. Throws with the file's name. */
const readPeople = (path: string): AdapterPeople =>
  parseJsonFile(
    path,
    readGiven(path)
      .toString('utf8')
      .replace(/^\ufeff/, ''),
    peopleSchema,
  ) as AdapterPeople;

/** Exit status: 1 where the adapter breaks a promise of the port. Throws on a file that is none, or cannot be written. */
export const judgeAdapter = async (
  [program = '', ...args]: readonly string[],
  { people, record }: AdapterOptions,
): Promise<number> => {
  const asked = readPeople(people);
  // Before anything is asked: a day of answers that cannot be kept would be a day lost.
  if (record !== undefined) writeFileSync(record, '');
  const recorder = new AnswerRecorder();
  let hear: (line: string) => void = () => {};
  let isOver = false;
  let last = '';
  // A character may come in two pieces; what is no UTF-8 shows as U+FFFD, and a byte order mark is told.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const split = splitLines((line) => {
    recorder.keep(line);
    hear(line);
  });
  const running = runProgram(program, args, {
    takesInput: true,
    onOutput: (piece) => split(decoder.decode(piece, { stream: true })),
  });
  const pipe: LinePipe = {
    send: (line) => {
      recorder.keep(line);
      last = /"call":"(\w+)"/.exec(line)?.[1] ?? `a line of ${line.length} characters`;
      running.input?.write(`${line}\n`);
    },
    subscribe: (listener) => {
      hear = listener;
    },
    end: () => {
      isOver = true;
      running.input?.end();
      const limit = new AbortController();
      const late = pause(endsWithinMs, false, { signal: limit.signal }).catch(() => false);
      return Promise.race([running.ended.then(() => true), late]).finally(() => limit.abort());
    },
  };
  const judged = checkAdapter(pipe, asked);
  // Whoever ends at the end of the input does what it should.
  const early = running.ended.then(async (end) => (isOver ? await judged : end));
  const findings = await Promise.race([judged, early]);
  running.stop();
  if (record !== undefined) writeFileSync(record, `${recorder.lines.join('\n')}\n`);
  if ('how' in findings) {
    const { how, code, signal, words } = findings;
    if (how === 'not-started') throw new Error(inWords('{program} cannot be started: is it installed?', { program }));
    const by = code ?? signal;
    process.stderr.write(`${program}: ${how}${by === null ? '' : `, ${by}`} (asked last: ${last}) ${words}\n`);
    return 1;
  }
  process.stdout.write(printFindings(findings, adapterRules, speaksJapanese() ? 'ja' : 'en'));
  process.stdout.write(`${JSON.stringify({ findings })}\n`);
  return findings.length === 0 ? 0 : 1;
};
