import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { encodeGreyJp2 } from '../../../drivers/virtual/jp2.ts';
import { writableRuns } from '../../../scripts/beds/process-memory.ts';
import { decodeReference } from '../../../src/face/models/decode-reference.ts';

const [width, height] = [240, 320];
/** As no other memory has them: each row another mixture of waves */
const grey = Uint8Array.from({ length: width * height }, (_, at) => {
  const [x, y] = [at % width, Math.floor(at / width)];
  return 128 + 60 * Math.sin(x / (7 + y / 40)) + 30 * Math.sin((x * y) / 900);
});

const decoder = new URL('../../../src/face/models/decode-reference.ts', import.meta.url).href;
/** Decodes what it is sent, overwrites what it was given, and stays as it is. */
const program = `const { decodeReference } = await import('${decoder}');
const pieces = await Array.fromAsync(process.stdin);
const decoded = await decodeReference(Buffer.concat(pieces));
if (!decoded.ok) process.exit(1);
if (process.argv[1] === 'wipes') decoded.value.rgb.fill(0);
process.stdout.write('decoded');
setInterval(() => globalThis.kept = decoded, 1_000_000);`;

/** Of 16 bytes of each row, how many are there: of the brightness as it was decoded, and of the tinted picture */
const leftBy = async (manner: 'wipes' | 'forgets'): Promise<{ grey: number; tinted: number }> => {
  const jp2 = await encodeGreyJp2({ width, height, grey });
  const here = await decodeReference(jp2);
  if (!here.ok) throw new Error(here.failure.detail);
  const { rgb } = here.value;
  const brightness = Uint8Array.from({ length: width * height }, (_, at) =>
    Math.round(0.299 * (rgb[at * 3] ?? 0) + 0.587 * (rgb[at * 3 + 1] ?? 0) + 0.114 * (rgb[at * 3 + 2] ?? 0)),
  );
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program, manner];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    child.stdin.end(jp2);
    expect(String((await once(child.stdout, 'data'))[0])).toBe('decoded');
    const left = { grey: 0, tinted: 0 };
    for (const run of writableRuns(child.pid ?? 0))
      for (let row = 20; row < 300; row += 20) {
        const at = row * width + 100;
        if (run.includes(Buffer.from(brightness.subarray(at, at + 16)))) left.grey += 1;
        if (run.includes(Buffer.from(rgb.subarray(at * 3, at * 3 + 16)))) left.tinted += 1;
      }
    return left;
  } finally {
    child.kill('SIGKILL');
  }
};

const canLook = process.platform === 'linux';
if (!canLook) console.warn('skipped: decoder-leaves-nothing reads /proc/<pid>/mem, which only Linux has');

test.skipIf(!canLook)(
  'what the decoder made of a photo is nowhere once its picture is overwritten, collected or not',
  async () => {
    const forgotten = await leftBy('forgets');
    expect(forgotten.grey).toBe(0);
    expect(forgotten.tinted).toBeGreaterThan(0);
    expect(await leftBy('wipes')).toEqual({ grey: 0, tinted: 0 });
  },
);
