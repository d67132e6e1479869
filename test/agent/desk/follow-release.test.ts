import { expect, it } from 'vitest';
import { followRelease } from '../../../src/agent/desk/follow-release.ts';
import type { Lane } from '../../../src/agent/desk/lanes.ts';
import { statusOf } from '../../../src/catalogue/update-status.ts';
import type { Update } from '../../../src/core/update/update.ts';
import { initialUpdate, transition } from '../../../src/core/update/update-machine.ts';
import type { StateMessage } from '../../../src/wire/messages.ts';

const lane = (number: number, version: string, more: Partial<StateMessage> = {}): Lane => ({
  device: `front-${number}`,
  lane: number,
  receivedAt: 1,
  clockAheadMs: 0,
  state: {
    ...{ device: `front-${number}`, lane: number, version, profile: 'release', status: 'idle' },
    ...{ catalogueVersion: '1', since: 1 },
    ...more,
  },
});

it('one lane after the other follows; one that serves with it once is through, whatever is unplugged later', () => {
  let lanes = [lane(1, '0.2.0+wire.2'), lane(2, '0.2.0+wire.2')];
  const turn = followRelease('0.3.0', () => lanes);
  expect(turn()).toEqual({ version: '0.3.0', lane: 1 });
  lanes = [lane(1, '0.3.0+wire.2', { status: 'out-of-service', code: 'update.on-trial' }), lane(2, '0.2.0+wire.2')];
  expect(turn()?.lane).toBeNull();
  lanes = [lane(1, '0.3.0+wire.2'), lane(2, '0.2.0+wire.2')];
  expect(turn()?.lane).toBe(2);
  lanes = [lane(1, '0.3.0+wire.2', { status: 'out-of-service', code: 'reader.lost' }), lane(2, '0.2.0+wire.2')];
  expect(turn()?.lane).toBe(2);
  const last = { version: '0.3.0', outcome: 'fell-back', reason: 'fell-back', at: 1 } as const;
  lanes = [lane(1, '0.3.0+wire.2'), lane(2, '0.2.0+wire.2', { update: { state: 'current', last } })];
  expect(turn()?.lane).toBeNull();
  lanes = [lane(1, '0.3.0+wire.2'), lane(2, '0.3.0+wire.2')];
  expect(turn()).toEqual({ version: '0.3.0', lane: null });
});

it('a release that fell back is followed again once a technician has said so on that terminal', () => {
  const at = { monotonicMs: 1, wallMs: 1 };
  const board = { booted: 'a', standard: 'a' } as const;
  const attempt = { bundle: { id: 'b', version: '0.3.0' }, target: 'b', step: 'trying', writes: 1, tries: 2 } as const;
  const record = { floor: '0.2.0', attempt, failed: [], last: null };
  const told = { version: '0.2.0', compatible: 'c', board, record };
  const fellBack = transition(initialUpdate, { type: 'Started', ...told, at }).update;
  const turnAfter = (update: Update) => {
    const { state, last } = statusOf(update);
    return followRelease('0.3.0', () => [lane(1, '0.2.0+wire.2', { update: { state, ...(last && { last }) } })])();
  };
  expect(turnAfter(fellBack)).toEqual({ version: '0.3.0', lane: null });
  expect(turnAfter(transition(fellBack, { type: 'RetryAsked', at }).update)).toEqual({ version: '0.3.0', lane: 1 });
});
