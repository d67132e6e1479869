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
