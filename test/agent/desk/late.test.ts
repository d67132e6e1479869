import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type AgentBed, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { until } from '../../../scripts/beds/simulated-clock.ts';

/* A terminal says that a patient has left without the answer; staff see it beside the request, whichever of the two comes first. */

let bed: AgentBed;
beforeEach(async () => {
  bed = await makeAgentBed();
});
afterEach(() => bed.close());

const visit = async (requestId: string): Promise<void> => {
  const { sealed } = await bed.sign(await bed.pin('5E570001'), { requestId });
  await bed.request(sealed);
};
const isLate = (requestId: string): boolean => typeof bed.journal.visit(requestId)?.lateAt === 'number';

test('a request that comes after the word is late, also when an older state is delivered once more between the two', async () => {
  const requestId = crypto.randomUUID();
  await bed.say({ late: [requestId] });
  await bed.say({});
  await visit(requestId);
  await until('late', () => isLate(requestId));
});

test('a disk that refuses the word takes it with what is heard next', async () => {
  const requestId = crypto.randomUUID();
  await visit(requestId);
  const refusing = vi.spyOn(bed.journal, 'markLate').mockImplementation(() => {
    throw new Error('EIO');
  });
  await bed.say({ late: [requestId] });
  expect(isLate(requestId)).toBe(false);
  refusing.mockRestore();
  await bed.say({});
  await until('late', () => isLate(requestId));
});

test('a row that another agent writes into the journal they share, without a word to this one, is late with the next state', async () => {
  const requestId = crypto.randomUUID();
  const { wallMs } = bed.clock.now();
  vi.spyOn(bed.journal.leases, 'isShared', 'get').mockReturnValue(true);
  await bed.say({ late: [requestId] });
  bed.journal.record({
    ...{ requestId, device: 'front-1', lane: 1, session: 's', kind: 'eligibility', method: 'pin', documentHash: 'h' },
    ...{ consents: {}, challenge: 'c', certificate: '', code: 'message.stale' },
    ...{ issuedAt: wallMs, receivedAt: wallMs, expiresAt: wallMs, personalLifeMs: 1 },
    personal: { limitApplication: false, approvedDocuments: [], consentTimes: [] },
  });
  expect(isLate(requestId)).toBe(false);
  await bed.say({});
  await until('late', () => isLate(requestId));
});

test('what a terminal says with each of its states is written once', async () => {
  const [requestId, unknown, session] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
  await visit(requestId);
  const marked = vi.spyOn(bed.journal, 'markLate');
  const left = vi.spyOn(bed.journal.deskEvents, 'abandoned');
  const said = { late: [requestId, unknown], abandoned: { session, at: 1, reason: 'session.timeout' } } as const;
  for (let times = 0; times < 3; times += 1) await bed.say(said);
  expect(isLate(requestId)).toBe(true);
  expect(marked.mock.calls.map(([id]) => id)).toEqual([requestId, unknown]);
  expect(left).toHaveBeenCalledTimes(1);
  expect(bed.journal.deskEvents.abandonedSince(0)).toHaveLength(1);
});
