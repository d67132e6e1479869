/** The models' first run and the first pass of code not yet compiled are paid by nobody who stands before the camera. */
import { decodeReference } from '../models/decode-reference.ts';
import type { PadModels } from '../models/detect-attack.ts';
import { meshPoints } from '../models/find-landmarks.ts';
import { embedMesh, embedReference } from './embed-reference.ts';
import { sessionsOf } from './face-pipeline.ts';
import type { FaceModels } from './find-face.ts';

/** A slope from black to grey, 120×160, as a card's photo is coded (`encodeGreyJp2` of (x + y) / 2). */
const slopeJp2 = [
  'AAAADGpQICANCocKAAAAFGZ0eXBqcDIgAAAAAGpwMiAAAAAtanAyaAAAABZpaGRyAAAAoAAAAHgAAQcHAAAAAAAPY29scgEAAAAAABEA',
  'AAFPanAyY/9P/1EAKQAAAAAAeAAAAKAAAAAAAAAAAAAAAHgAAACgAAAAAAAAAAAAAQcBAf9SAAwAAgAIAAUEBAAA/1wAI0J3IHbwdvB2',
  'wG8AbwBu4GdQZ1BnaFAFUAVQR1fTV9NXYv9kACUAAUNyZWF0ZWQgYnkgT3BlbkpQRUcgdmVyc2lvbiAyLjUuNP+QAAoAAAAAAL4AAf+T',
  'x/ggEVAUqbMZ0AsZDaWHxouxvsmhywDSM24A6FBjT7NrwLOAgICAgICAwD7Q2AfaGCId5yeVPPeC1PDHuyMmJrDciiqzmVG2Pc+AgICA',
  'gICAwA+QRAHzjQAw0bLpuMueEWmVvPrtf19t3ivWs3eAgICAgICAwA+EmAHwkFqGcKW6rZV6v6pyKo4WvBargICAgICAgMAJIASAiUD9',
  'f+SKIqeAgICAgICAgICAgICAgID/2Q==',
].join('');

/** Points spread over the middle of the picture: any that span a face will do. */
const spreadMesh = (): Float32Array =>
  new Float32Array(meshPoints * 3).map((_, at) =>
    at % 3 === 0 ? 60 + 30 * Math.cos(at * 0.7) : 80 + 40 * Math.sin(at * 1.3),
  );

/**
 * One reference made of nothing, by the way that a card's photo goes, and one run of each model: without it the first
 * reference of a process costs twice the processor time of the later ones (226 against 100 ms, 2026-11-29).
 */
export const warmUp = async (models: FaceModels, pad: PadModels | null): Promise<void> => {
  const jp2 = Buffer.from(slopeJp2, 'base64');
  const decoded = await decodeReference(jp2);
  // Nothing that looks like a photo stays in memory, not even the head of one or a slope in the colour of skin.
  jp2.fill(0);
  if (decoded.ok) {
    (await embedReference(models, decoded.value))?.fill(0);
    (await embedMesh(models.embedder, decoded.value, spreadMesh()))?.fill(0);
    decoded.value.rgb.fill(0);
  }
  for (const session of sessionsOf(models, pad)) await session.runOnNothing();
};
