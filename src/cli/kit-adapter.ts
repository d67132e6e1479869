import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { runProgram } from '../../drivers/host/run-program.ts';
import { adapterRules } from '../kit/adapter/adapter-rules.ts';
import { type AdapterPeople, checkAdapter } from '../kit/adapter/check-adapter.ts';
import { AnswerRecorder } from '../kit/adapter/record-answers.ts';
import { printFindings } from '../kit/finding.ts';
import { speaksJapanese } from './say.ts';

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

/** Exit status: 1 where the adapter breaks a promise of the port. Throws on a file that is none. */
export const judgeAdapter = async (
  [program = '', ...args]: readonly string[],
  { people, record }: AdapterOptions,
): Promise<number> => {
  const asked = peopleSchema.parse(JSON.parse(readFileSync(people, 'utf8'))) as AdapterPeople;
  const recorder = new AnswerRecorder();
  let hear: (line: string) => void = () => {};
  let rest = '';
  const running = runProgram(program, args, {
    takesInput: true,
    onOutput: (piece) => {
      const lines = (rest + piece.toString('utf8')).split(/\r?\n/);
      rest = lines.pop() ?? '';
      for (const line of lines) {
        recorder.keep(line);
        hear(line);
      }
    },
  });
  const pipe = {
    send: (line: string) => {
      recorder.keep(line);
      running.input?.write(`${line}\n`);
    },
    subscribe: (listener: (line: string) => void) => {
      hear = listener;
    },
  };
  const findings = await Promise.race([checkAdapter(pipe, asked), running.ended]);
  running.stop();
  if (!Array.isArray(findings)) {
    const { how, code, words } = findings as Awaited<typeof running.ended>;
    process.stderr.write(`${program}: ${how}${code === null ? '' : `, ${code}`} ${words}\n`);
    return 1;
  }
  if (record !== undefined) writeFileSync(record, `${recorder.lines.join('\n')}\n`);
  process.stdout.write(printFindings(findings, adapterRules, speaksJapanese() ? 'ja' : 'en'));
  process.stdout.write(`${JSON.stringify({ findings })}\n`);
  return findings.length === 0 ? 0 : 1;
};
