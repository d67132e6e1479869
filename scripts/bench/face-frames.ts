/** Child of bench-face: as many frames as asked for through pipeline and preview, then how its memory has grown. */
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { examineFrame } from '../../src/face/attempt/face-pipeline.ts';
import { loadFaceModels } from '../evaluate/load-face-models.ts';
import { paintFrames } from './paint-frames.ts';

sharp.cache(false);
sharp.concurrency(1);

/** Resident kilobytes of this process. */
const residentKb = (): number => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);

const frames = Number(process.argv[2]);
const painted = await paintFrames(16);
const models = await loadFaceModels('fr_feature');
/** Until then pools and just-in-time code are still filling up. */
const warmUp = Math.floor(frames / 5);
let startKb = 0;
for (let i = 0; i < frames; i++) {
  const frame = painted[i % painted.length];
  if (frame === undefined) break;
  await examineFrame(models, frame, { mirrored: i % 2 === 1 });
  if (i % 3 === 0)
    await sharp(frame.rgb, { raw: { width: frame.width, height: frame.height, channels: 3 } })
      .resize(480)
      .flop()
      .jpeg()
      .toBuffer();
  if (i === warmUp) startKb = residentKb();
  if ((i + 1) % 1_000 === 0) process.stderr.write(`bench-face: ${i + 1} of ${frames} frames, ${residentKb()} kB\n`);
}
process.send?.({ startKb, endKb: residentKb() });
