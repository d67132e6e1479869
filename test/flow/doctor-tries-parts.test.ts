import { afterEach, beforeEach, expect, it } from 'vitest';
import { createVirtualSpeaker } from '../../drivers/virtual/virtual-speaker.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { openVisitBed, type VisitBed } from '../../scripts/beds/visit-bed.ts';
import { partsTriedSchema } from '../../src/terminal/doctor/health.ts';
import type { PartsTried } from '../../src/terminal/visit/try-parts.ts';

/** `uketsuke doctor` asks a terminal that runs: a frame, a note, an answer of the agent. Terminal, wire and agent are real. */
let bed: VisitBed;
let noteSays: string | null;
const speaker = { ...createVirtualSpeaker(), tryNote: async () => noteSays };
beforeEach(async () => {
  noteSays = null;
  bed = await openVisitBed({ speaker });
  await until('the agent is heard', () => bed.runner.session.state.name === 'idle');
});
afterEach(() => bed.close());

const picture = (...bytes: number[]): void => bed.face.say({ type: 'preview', jpeg: new Uint8Array(bytes) });
const tried = async (meanwhile: () => Promise<void> | void): Promise<PartsTried> => {
  const asked = bed.runner.tryParts();
  await meanwhile();
  await bed.pass(3_000);
  return partsTriedSchema.parse(await asked);
};

it('pictures that change, a note that is taken, an agent that answers: each is told with its time', async () => {
  const told = await tried(async () => {
    picture(1, 2, 3);
    picture(1, 2, 4);
    await bed.pass(2_200);
  });
  expect(told).toMatchObject({
    ...{ busy: false, camera: { outcome: 'good' }, speaker: { outcome: 'good' } },
    agent: { outcome: 'good', detail: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) },
  });
  expect(bed.face.asked).toBe(false);
  // A question for a sign of life: nothing is written at the clinic's end.
  expect(bed.visits()).toEqual([]);
});

it('one picture again and again, a sound card that refuses, an agent that says nothing', async () => {
  noteSays = 'audio open error: No such device';
  bed.broker.tamper = (passing) => (passing.topic.endsWith('/challenge') ? [] : [passing]);
  const told = await tried(async () => {
    picture(1, 2, 3);
    picture(1, 2, 3);
    await bed.pass(2_200);
  });
  expect(told).toMatchObject({
    camera: { outcome: 'failed', code: 'camera.frozen' },
    speaker: { outcome: 'failed', code: 'speaker.refuses', detail: noteSays },
    agent: { outcome: 'late' },
  });
});

it('no picture at all is late, and what the face process says of the camera is its own word', async () => {
  expect(await tried(() => {})).toMatchObject({ camera: { outcome: 'late' } });
  const told = await tried(() =>
    bed.face.say({ type: 'failed', failure: { code: 'camera.black' } as Parameters<typeof bed.face.ail>[0] & object }),
  );
  expect(told).toMatchObject({ camera: { outcome: 'failed', code: 'camera.black' } });
});

it('a patient comes first: the parts are given back at once, and none is touched while one is here', async () => {
  const asked = bed.runner.tryParts();
  expect(bed.face.asked).toBe(true);
  await bed.insert('hanako');
  await bed.see('choose-method');
  expect(await asked).toEqual({ busy: true });
  expect(await bed.runner.tryParts()).toEqual({ busy: true });
  await bed.enterPin('1234');
  await bed.answerAll('agree');
  await bed.see('accepted');
});
