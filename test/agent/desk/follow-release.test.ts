import { expect, it } from 'vitest';
import { followRelease } from '../../../src/agent/desk/follow-release.ts';
import type { Lane } from '../../../src/agent/desk/lanes.ts';
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
