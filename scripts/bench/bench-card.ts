/**
 * Our card code against OpenSC on the same virtual card under the same real pcscd; APDUs are counted at the card.
 * `opensc` = `pkcs15-tool --read-certificate 01` and `pkcs11-tool --sign`, what a program without a stack of its own calls.
 *
 *   npm run bench:card -- [--json] [--runs N] [--kbps 424] [--signature-ms 120]
 *
 * Wire and chip take their time as set; with `--kbps 0 --signature-ms 0` the times are those of the programs alone.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import type { CardTiming } from '../../drivers/virtual/card-timing.ts';
import { PcscdBed, pcscdMissing, pcscliteMissing } from '../beds/pcscd-bed.ts';
import { testCard } from '../beds/test-cards.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean' },
    runs: { type: 'string', default: '7' },
    kbps: { type: 'string', default: '424' },
    'signature-ms': { type: 'string', default: '120' },
  },
});
const timing: CardTiming = {
  kbps: Number(options.kbps) as CardTiming['kbps'],
  signatureMs: Number(options['signature-ms']),
  commandMs: 0,
};
/** Visits of one process: the last one is that of a terminal that has been running. */
const warmVisits = 4;
const runs = Number(options.runs);
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const run = promisify(execFile);

const missing = pcscdMissing() ?? (await pcscliteMissing());
if (missing !== null) {
  say(`cannot measure: ${missing}`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'uketsuke-bench-'));
const message = join(folder, 'message');
writeFileSync(message, 'hello');
const bed = new PcscdBed();
await bed.start();
/** When each APDU came to the card and when its answer left, ms: what the programs have in common. */
const apdus: { fromMs: number; untilMs: number }[] = [];
await bed.insert((await testCard('hanako')).card, {
  timing,
  onApdu: ({ phase }) => {
    if (phase === 'before') apdus.push({ fromMs: performance.now(), untilMs: 0 });
    const current = apdus.at(-1);
    if (phase === 'after' && current !== undefined) current.untilMs = performance.now();
  },
});
/** From the first APDU's arrival to the last one's answer. */
const spanOf = (some: typeof apdus): number => (some.at(-1)?.untilMs ?? 0) - (some[0]?.fromMs ?? 0);

const environment = { ...process.env, PCSCLITE_CSOCK_NAME: bed.socketPath, OPENSC_DRIVER: 'jpki' };
const timed = async (command: string, args: readonly string[]): Promise<number> => {
  const startMs = performance.now();
  await run(command, [...args], { env: environment });
  return performance.now() - startMs;
};
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const rounded = (value: number): number => Math.round(value * 10) / 10;

/** `ms`: at the card, first APDU to last answer. `firstMs`: ours in a process just started. `processMs`: the rest of it. */
type Measured = { apdus: number; ms: number; firstMs: number; processMs: number };

const ours = async (flow: 'pin' | 'face'): Promise<Measured> => {
  const script = fileURLToPath(new URL('./bench-card-visit.ts', import.meta.url));
  apdus.length = 0;
  const whole = await timed(process.execPath, [script, flow, '1']);
  const [perVisit, firstMs] = [apdus.length, spanOf(apdus)];
  apdus.length = 0;
  await timed(process.execPath, [script, flow, `${warmVisits}`]);
  if (apdus.length !== perVisit * warmVisits) throw new Error('a visit took another number of APDUs');
  return { apdus: perVisit, ms: spanOf(apdus.slice(-perVisit)), firstMs, processMs: whole - firstMs };
};

const opensc = async (): Promise<Measured> => {
  const sign = '--module opensc-pkcs11.so --slot 0 --login --pin 1234 --sign --id 01 -m SHA256-RSA-PKCS'.split(' ');
  apdus.length = 0;
  const reading = await timed('pkcs15-tool', ['--read-certificate', '01']);
  const [read, readMs] = [apdus.length, spanOf(apdus)];
  apdus.length = 0;
  const signing = await timed('pkcs11-tool', [...sign, '-i', message, '-o', join(folder, 'signature')]);
  const ms = readMs + spanOf(apdus);
  return { apdus: read + apdus.length, ms, firstMs: ms, processMs: reading + signing - ms };
};

const results: Record<'pin' | 'face' | 'opensc', Measured[]> = { pin: [], face: [], opensc: [] };
for (let round = 0; round < runs; round++) {
  results.pin.push(await ours('pin'));
  results.face.push(await ours('face'));
  results.opensc.push(await opensc());
  say(
    `round ${round + 1} of ${runs}: ${Object.entries(results)
      .map(([name, all]) => `${name} ${all.at(-1)?.apdus} APDUs ${rounded(all.at(-1)?.ms ?? 0)} ms`)
      .join(', ')}`,
  );
}
await bed.stop();
rmSync(folder, { recursive: true, force: true });

const of = (field: keyof Measured) => ({
  pin: rounded(median(results.pin.map((measured) => measured[field]))),
  face: rounded(median(results.face.map((measured) => measured[field]))),
  opensc: rounded(median(results.opensc.map((measured) => measured[field]))),
});
const summary = {
  runs,
  timing,
  apdus: of('apdus'),
  ms: of('ms'),
  firstVisitMs: of('firstMs'),
  processMs: of('processMs'),
};
const ratio = {
  pinToOpensc: Math.round((summary.ms.pin / summary.ms.opensc) * 1000) / 1000,
  apdusPinToOpensc: Math.round((summary.apdus.pin / summary.apdus.opensc) * 1000) / 1000,
};
if (options.json !== true) say(JSON.stringify(summary, null, 2));
process.stdout.write(`${JSON.stringify({ ...summary, ratio })}\n`);
