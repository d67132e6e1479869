import { afterEach, expect, test, vi } from 'vitest';
import { makeTestFacility } from '../../scripts/beds/test-facility.ts';
import type { AgentContext } from '../../src/agent/agent-context.ts';
import { AgentPost } from '../../src/agent/agent-post.ts';
import { ok } from '../../src/core/result.ts';

afterEach(() => void vi.restoreAllMocks());

test('settings whose signature took longer than that of later ones are not told after them', async () => {
  const place = await makeTestFacility();
  const told: unknown[] = [];
  const bus = {
    publish: async (topic: string, bytes: Uint8Array) => {
      const [, payload = ''] = new TextDecoder().decode(bytes).split('.');
      told.push([topic.split('/').at(-1), JSON.parse(Buffer.from(payload, 'base64url').toString()).version]);
      return ok(undefined);
    },
  };
  const device = place.registry.get('front-1');
  const other = place.registry.get('front-2');
  if (device === undefined || other === undefined) throw new Error('no such device');
  const post = new AgentPost({ keys: () => place.agent, bus } as unknown as AgentContext, () => 2);
  let letGo: () => void = () => {};
  const { sign } = crypto.subtle;
  vi.spyOn(crypto.subtle, 'sign').mockImplementationOnce(async (...asked) => {
    await new Promise<void>((resolve) => {
      letGo = resolve;
    });
    return sign.apply(crypto.subtle, asked);
  });
  const slow = post.signed(device, 'settings', { version: 7 });
  await post.signed(device, 'settings', { version: 8 });
  await post.signed(other, 'settings', { version: 3 });
  letGo();
  expect(await slow).toEqual(ok(undefined));
  await post.signed(device, 'receipt', { version: 1 });
  expect(told).toEqual([
    ['settings', 8],
    ['settings', 3],
    ['receipt', 1],
  ]);
  place.remove();
});
