/**
 * Nothing of the card's photo is left in the face process while it compares, and nothing of its embedding after the
 * decision: every writable page of its memory is searched for any 16 bytes of them, at every place.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadFaceGrey } from '../../drivers/virtual/faces.ts';
import { encodeGreyJp2 } from '../../drivers/virtual/jp2.ts';
import { createVirtualCameraControl } from '../../drivers/virtual/virtual-camera-control.ts';
import { loadModels, modelsMissing } from '../../scripts/beds/built-models.ts';
import { createKeptFaceVerifier } from '../../scripts/beds/kept-face.ts';
import { writableRuns } from '../../scripts/beds/process-memory.ts';
import { embedReference } from '../../src/face/attempt/embed-reference.ts';
import { decodeReference } from '../../src/face/models/decode-reference.ts';

const windowBytes = 16;
const folder = mkdtempSync(join(tmpdir(), 'face-memory-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Canaries every 16 bytes: any 31 bytes in a row that are left hold one whole. Uniform bytes are no canary. */
const canariesOf = (bytes: Uint8Array): Set<string> => {
  const canaries = new Set<string>();
  for (let at = 0; at + windowBytes <= bytes.length; at += windowBytes) {
    const canary = bytes.subarray(at, at + windowBytes);
    if (new Set(canary).size > 8) canaries.add(Buffer.from(canary).toString('latin1'));
  }
  return canaries;
};

/** Lets the event loop turn in between: the face process gives up a terminal that has been silent for 8 s. */
const countFound = async (pid: number, secrets: ReadonlyMap<string, Uint8Array>): Promise<Record<string, number>> => {
  // By their first four bytes, so that one pass looks for all of them.
  const byStart = new Map<number, { name: string; canary: string }[]>();
  const found: Record<string, number> = {};
  for (const [name, bytes] of secrets) {
    found[name] = 0;
    for (const canary of canariesOf(bytes)) {
      const start = Buffer.from(canary, 'latin1').readUInt32LE(0);
      byStart.set(start, [...(byStart.get(start) ?? []), { name, canary }]);
    }
  }
  const mayStart = new Uint8Array(1 << 16);
  for (const start of byStart.keys()) mayStart[start & 0xffff] = 1;
  for (const piece of writableRuns(pid)) {
    await new Promise((resolve) => setImmediate(resolve));
    for (let at = 0; at + windowBytes <= piece.length; at++) {
      if (mayStart[(piece[at] as number) | ((piece[at + 1] as number) << 8)] === 0) continue;
      const candidates = byStart.get(piece.readUInt32LE(at));
      if (candidates === undefined) continue;
      const here = piece.toString('latin1', at, at + windowBytes);
      for (const { name, canary } of candidates) if (canary === here) found[name] = (found[name] ?? 0) + 1;
    }
  }
  return found;
};

/** As a decoder gives a grey photo, before it is tinted (ITU-R BT.601) */
const greyOf = (rgb: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: rgb.length / 3 }, (_, at) => {
    const [red = 0, green = 0, blue = 0] = rgb.subarray(at * 3, at * 3 + 3);
    return Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
  });

const canLook = process.platform === 'linux';
if (!canLook) console.warn('skipped: memory-after-attempt reads /proc/<pid>/mem, which only Linux has');

describe.skipIf(!canLook || modelsMissing('memory-after-attempt'))('memory of the face process', () => {
  test('holds the embedding alone while comparing, and nothing of it or the photo after the decision', async () => {
    const control = await createVirtualCameraControl(join(folder, 'camera'), null);
    const verifier = createKeptFaceVerifier({
      profile: 'demo',
      camera: { kind: 'virtual', seed: 5, controlSocket: control.path },
    });
    try {
      await new Promise<void>((resolve) => verifier.subscribeHealth((trouble) => trouble ?? resolve()));
      const photo = await encodeGreyJp2(await loadFaceGrey('sample6-a'));
      const decoded = await decodeReference(photo);
      if (!decoded.ok) throw new Error(decoded.failure.detail);
      const embedding = await embedReference(await loadModels(), decoded.value);
      if (embedding === null) throw new Error('no face in the reference');
      const secrets = new Map([
        ['photo', photo],
        ['picture', decoded.value.rgb],
        ['greyPicture', greyOf(decoded.value.rgb)],
        ['embedding', new Uint8Array(embedding.buffer)],
      ]);
      const pid = verifier.processId ?? 0;
      const wiped = new Promise<number>((resolve) => verifier.subscribeWiped(resolve));
      let whileComparing: Promise<Record<string, number>> | null = null;
      await new Promise<void>((resolve, reject) => {
        let hints = 0;
        verifier.start({ referenceJp2: photo, padStrength: 'off' }, (event) => {
          if (event.type === 'failed') reject(new Error(event.failure.code));
          if (event.type === 'matched') resolve();
          // Somebody else first: a miss says that the reference has been in use for a while.
          if (event.type === 'hint' && hints++ === 0) control.setFace('sample6-d');
          // More misses come while the first search is still going on.
          if (event.type !== 'missed' || whileComparing !== null) return;
          whileComparing = countFound(pid, secrets);
          void whileComparing.then(() => control.setFace('sample6-a'));
        });
      });
      await wiped;
      const found = await whileComparing;
      // The picture is overwritten once it is embedded, and does not wait for the collector to give it up.
      expect(found).toEqual({ photo: 0, picture: 0, greyPicture: 0, embedding: expect.any(Number) });
      expect(found).not.toMatchObject({ embedding: 0 });
      expect(await countFound(pid, secrets)).toEqual({ photo: 0, picture: 0, greyPicture: 0, embedding: 0 });
    } finally {
      await verifier.close();
      await control.close();
    }
  }, 300_000);
});
