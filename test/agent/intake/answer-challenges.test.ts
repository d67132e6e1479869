import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fixtures, IntakeBed } from '../../../scripts/beds/intake-bed.ts';
import { simulatedStartMs } from '../../../scripts/beds/simulated-clock.ts';
import { facility } from '../../../scripts/beds/test-facility.ts';
import { answerChallenges, refuseChallenges } from '../../../src/agent/intake/answer-challenges.ts';
import { RecentIds } from '../../../src/agent/intake/recent-ids.ts';
import type { FailureCode } from '../../../src/core/failure.ts';
import { sign } from '../../../src/trust/seal.ts';
import { newestWire } from '../../../src/wire/versions.ts';

/* The gate at which a terminal asks for challenges: each is written down before it goes out, or is not given. */

const { front1, front2, testFacility } = fixtures;
const lifeMs = 600_000;

let bed: IntakeBed;
let answered: RecentIds;
let aheadMs: unknown[];
let folderFault: FailureCode | null;
beforeEach(() => {
  bed = new IntakeBed();
  answered = new RecentIds();
  aheadMs = [];
  folderFault = null;
});
afterEach(() => bed.close());

type Question = { readonly wanted?: number; readonly requestedAt?: number; readonly device?: string };
const question = async (more: Question = {}, by = testFacility.device) => {
  const challengeRequestId = randomUUID();
  const message = { facility, device: 'front-1', challengeRequestId, requestedAt: bed.nowMs, wanted: 1, ...more };
  return { challengeRequestId, payload: await sign('challenge-request', message, by.signing) };
};
const answer = (payload: Uint8Array, device = front1) =>
  answerChallenges({ leaf: 'challenge-request', device, payload }, bed.context, bed.post, {
    answered,
    noteClock: (...said) => aheadMs.push(said),
    folderFault: () => folderFault,
  });
const refuse = (payload: Uint8Array, device = front1) =>
  refuseChallenges({ leaf: 'challenge-request', device, payload }, bed.context, bed.post, answered);
type Given = { nonce: string; agent: string; issuedAt: number; expiresAt: number };
const lastGiven = (): Given[] => (bed.told.at(-1)?.message.challenges ?? []) as Given[];
const given = async (more: Question = {}): Promise<Given[]> => {
  await answer((await question(more)).payload);
  return lastGiven();
};
/** Whether the journal takes a request with this challenge: it is ours, this terminal's, open and not over. */
const holds = async ({ nonce, expiresAt }: Given, device = 'front-1'): Promise<boolean> => {
  const visit = { requestId: randomUUID(), device, lane: 1, session: 's', kind: 'eligibility', method: 'pin' } as const;
  const recorded = bed.journal.record({
    ...visit,
    ...{ documentHash: 'h', consents: {}, challenge: nonce, certificate: '', code: undefined },
    ...{ issuedAt: bed.nowMs, receivedAt: bed.nowMs, expiresAt, personalLifeMs: 1 },
    personal: { limitApplication: false, approvedDocuments: [], consentTimes: [] },
  });
  return recorded.kind === 'recorded' && recorded.visit.verdict === 'accepted';
};

test('as many as were asked for, none like another, each written down for this terminal alone and good once', async () => {
  const { challengeRequestId, payload } = await question({ wanted: 3, requestedAt: bed.nowMs + 7 });
  expect(await answer(payload)).toEqual({ ok: true });
  // What a power cut takes is refused like any that is not ours: no visit waits for the disk here.
  expect(bed.committed).toEqual(['soon']);
  const common = { agent: 'agent-1', issuedAt: simulatedStartMs, expiresAt: simulatedStartMs + lifeMs };
  const nonce = expect.stringMatching(/^[\w-]{43}$/);
  expect(bed.told).toEqual([
    {
      ...{ device: 'front-1', leaf: 'challenge', correlation: challengeRequestId },
      message: {
        ...{ challengeRequestId, agentTime: simulatedStartMs, wire: newestWire },
        challenges: [1, 2, 3].map(() => ({ nonce, ...common })),
      },
    },
  ]);
  expect(aheadMs).toEqual([['front-1', 7]]);
  const [one, two, three] = lastGiven() as [Given, Given, Given];
  expect(new Set([one.nonce, two.nonce, three.nonce]).size).toBe(3);
  expect(await holds(one, 'front-2')).toBe(false);
  expect([await holds(one), await holds(one), await holds(two), await holds(three)]).toEqual([true, false, true, true]);
});

test('a sign of life wants none: nothing is written', async () => {
  bed.journal.addChallenges = () => {
    throw new Error('disk I/O error');
  };
  expect(await given({ wanted: 0 })).toEqual([]);
  expect([bed.diskErrors, bed.told[0]?.message.trouble]).toEqual([[], undefined]);
});

test('many restarts never starve it: of more open ones than a stock the oldest give way, and no other terminal’s', async () => {
  const [first] = await given();
  bed.journal.addChallenges('front-2', [{ nonce: 'n', issuedAt: bed.nowMs, expiresAt: bed.nowMs + lifeMs }], 48);
  // 72 may be open; with the 73rd the oldest go, down to 48.
  const [oldest] = await given({ wanted: 16 });
  for (let asked = 1; asked < 4; asked += 1) await given({ wanted: 16 });
  const [, second] = await given({ wanted: 7 });
  expect(await holds(first as Given)).toBe(true);
  const [third] = await given({ wanted: 2 });
  expect(await holds(second as Given)).toBe(true);
  expect(await holds(third as Given)).toBe(true);
  expect(await holds(oldest as Given)).toBe(false);
  expect(await holds({ nonce: 'n', expiresAt: bed.nowMs + lifeMs } as Given, 'front-2')).toBe(true);
});

describe.each([
  ['to a terminal that serves', answer],
  ['to one that was revoked', refuse],
])('nothing is answered %s', (_whom, gate) => {
  test.each<[string, FailureCode, () => Promise<Uint8Array>, typeof front1?]>([
    ['that another one signed for', 'message.forged', async () => (await question({}, testFacility.other)).payload],
    ['for another one', 'message.forged', async () => (await question({ device: 'front-2' })).payload],
    ['whose words another one plays', 'message.forged', async () => (await question()).payload, front2],
    ['that asks for more than there is', 'message.malformed', async () => (await question({ wanted: 17 })).payload],
    ['that says nothing', 'message.malformed', async () => new Uint8Array()],
  ])('%s', async (_name, code, payload, device = front1) => {
    expect(await gate(await payload(), device)).toMatchObject({ ok: false, failure: { code } });
    expect([bed.told, aheadMs]).toEqual([[], []]);
  });

  test('a second time, when its question is played again', async () => {
    const { payload } = await question();
    expect(await gate(payload)).toEqual({ ok: true });
    expect(await gate(payload)).toMatchObject({ ok: false, failure: { code: 'message.stale' } });
    expect(bed.told).toHaveLength(1);
  });
});

test('a terminal that was revoked gets none, and hears why', async () => {
  const { challengeRequestId, payload } = await question({ wanted: 3 });
  expect(await refuse(payload)).toEqual({ ok: true });
  const message = { challengeRequestId, agentTime: simulatedStartMs, challenges: [], wire: newestWire };
  expect(bed.told).toEqual([
    {
      ...{ device: 'front-1', leaf: 'challenge', correlation: challengeRequestId },
      message: { ...message, trouble: 'delivery.access-refused' },
    },
  ]);
});

describe('what keeps a clinic from serving is said with the answer', () => {
  const trouble = async (): Promise<unknown> => {
    await given();
    return bed.told.at(-1)?.message.trouble;
  };

  test('a disk that takes nothing: none is given that is not written down', async () => {
    const error = new Error('database or disk is full');
    bed.journal.addChallenges = () => {
      throw error;
    };
    expect(await given({ wanted: 2 })).toEqual([]);
    expect(bed.told[0]?.message.trouble).toBe('agent.disk-failed');
    expect(bed.diskErrors).toEqual([error]);
  });

  test('the folder’s fault, and the disk’s before it', async () => {
    folderFault = 'files.folder-missing' as FailureCode;
    expect(await trouble()).toBe(folderFault);
    bed.diskFault = 'agent.disk-failed';
    expect(await trouble()).toBe('agent.disk-failed');
  });

  test('a clock that it doubts', async () => {
    await given();
    bed.time = { ...bed.time, certainty: 'doubted' };
    await given();
    bed.time = { ...bed.time, certainty: 'plausible' };
    await given();
    expect(bed.told.map(({ message }) => message.timeDoubted)).toEqual([undefined, true, undefined]);
  });

  test('a memory that is lost, for as long as a challenge of before may live, and not once the clock is before it', async () => {
    const said: unknown[] = [];
    const ask = async (): Promise<void> => {
      await given();
      said.push(bed.told.at(-1)?.message.voidBefore);
    };
    await ask();
    bed.journal.noteRolledBack(simulatedStartMs);
    await ask();
    bed.clock.setWall(simulatedStartMs + lifeMs);
    await ask();
    bed.clock.setWall(simulatedStartMs + lifeMs + 1);
    await ask();
    bed.clock.setWall(simulatedStartMs - 1);
    await ask();
    expect(said).toEqual([undefined, simulatedStartMs, simulatedStartMs, undefined, undefined]);
  });

  test('nothing is void of a memory that is whole, also while the clock stands in 1970', async () => {
    bed.clock.setWall(1_000);
    await given();
    expect(bed.told[0]?.message).not.toHaveProperty('voidBefore');
  });
});
