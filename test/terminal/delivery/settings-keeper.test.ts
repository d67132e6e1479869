import { generateKeyPair } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryStore } from '../../../scripts/beds/memory-store.ts';
import { breathe, SimulatedClock, until } from '../../../scripts/beds/simulated-clock.ts';
import { testSettings } from '../../../scripts/beds/test-facility.ts';
import { failure } from '../../../src/core/failure.ts';
import { createEventLog } from '../../../src/log/event-log.ts';
import { createSettingsKeeper, type SettingsKeeper } from '../../../src/terminal/delivery/settings-keeper.ts';
import { sign } from '../../../src/trust/seal.ts';

const { privateKey, publicKey } = await generateKeyPair('ES256');
const { privateKey: nobodysKey } = await generateKeyPair('ES256');
const kid = 'k'.repeat(43);
const agents = [{ kid, key: publicKey, owner: 'agent-1' }];
const key = { kty: 'EC', crv: 'P-256', x: 'h'.repeat(43), y: 'h'.repeat(43), kid: 'h'.repeat(43) } as const;
const hourMs = 3_600_000;

let clock: SimulatedClock;
let store: MemoryStore;
let applied: number[];
let said: { readonly name: string; readonly code?: string }[];
let overlooked: (readonly [leaf: string, keys: readonly string[]])[];
let agentNowMs: number | null;

const keeperOf = (over = store): SettingsKeeper => {
  const log = createEventLog({ format: 'silent' });
  log.event = ((name: string, fields: object) => void said.push({ name, ...fields })) as typeof log.event;
  return createSettingsKeeper({
    ...{ store: over, clock, log, agents, addressee: { facility: 'clinic', device: 'front-1' } },
    ...{ agentNowMs: () => agentNowMs, apply: ({ version }) => applied.push(version) },
    overlook: (...of) => void overlooked.push(of),
  });
};
const settings = (version: number, more: object = {}, by = privateKey): Promise<Uint8Array> =>
  sign(
    'settings',
    {
      ...{ facility: 'clinic', device: 'front-1', version, validFrom: 1 },
      ...{ facilitySettings: testSettings, facilityKeys: { current: key }, ...more },
    },
    { kid, key: by },
  );
const refusals = (): unknown[] => said.filter(({ name }) => name === 'message.refused').map(({ code }) => code);

beforeEach(() => {
  clock = new SimulatedClock();
  store = new MemoryStore();
  [applied, said, overlooked] = [[], [], []];
  agentNowMs = clock.now().wallMs;
});

describe('settings', () => {
  test('of a higher version hold; the same again is no news, another content or a lower version is refused', async () => {
    const keeper = keeperOf();
    expect(await keeper.receive(await settings(3))).toBe(true);
    expect(applied).toEqual([3]);
    expect(await keeper.receive(await settings(3))).toBe(true);
    expect(refusals()).toEqual([]);
    expect(await keeper.receive(await settings(3, { validFrom: 2 }))).toBe(true);
    expect(await keeper.receive(await settings(2))).toBe(true);
    expect(refusals()).toEqual(['message.stale', 'message.stale']);
    expect(await keeper.receive(await settings(4))).toBe(true);
    expect(applied).toEqual([3, 4]);
  });

  test('that nobody of us signed, or that are none, are refused by name, and no agent was heard', async () => {
    const keeper = keeperOf();
    expect(await keeper.receive(await settings(3, {}, nobodysKey))).toBe(false);
    expect(await keeper.receive(await settings(3, { device: 'front-2' }))).toBe(false);
    expect(await keeper.receive(await settings(3, { version: 'three' }))).toBe(false);
    expect(said).toEqual(
      ['message.forged', 'message.forged', 'message.malformed'].map((code) => ({
        ...{ name: 'message.refused', leaf: 'settings', code },
      })),
    );
    expect(applied).toEqual([]);
  });

  test('of a later release hold without what this one does not know, which is told by name', async () => {
    await keeperOf().receive(await settings(3, { ofTomorrow: true }));
    expect(applied).toEqual([3]);
    expect(overlooked).toEqual([['settings', ['ofTomorrow']]]);
    expect(said).toEqual([{ name: 'settings.applied', version: 3 }]);
  });

  test('that wait give way to no others of their version', async () => {
    const keeper = keeperOf();
    await keeper.receive(await settings(4, { validFrom: (agentNowMs ?? 0) + hourMs }));
    await keeper.receive(await settings(4));
    expect(applied).toEqual([]);
  });

  test('that wait are looked at every hour: a clock that was set on brings them sooner', async () => {
    const keeper = keeperOf();
    await keeper.receive(await settings(3, { validFrom: (agentNowMs ?? 0) + 5 * hourMs }));
    agentNowMs = (agentNowMs ?? 0) + 5 * hourMs;
    await clock.advance(hourMs - 1);
    expect(applied).toEqual([]);
    await clock.advance(1);
    expect(applied).toEqual([3]);
  });

  test('hold from their date by the agent’s clock on, however far that is, and not a moment before', async () => {
    clock.setWall((agentNowMs ?? 0) + 10 * hourMs);
    const startMs = clock.now().monotonicMs;
    const from = agentNowMs ?? 0;
    const keeper = keeperOf();
    const advance = async (ms: number): Promise<void> => {
      agentNowMs = from + (clock.now().monotonicMs - startMs) + ms;
      await clock.advance(ms);
    };
    await keeper.receive(await settings(3, { validFrom: from + 90 * 60_000 }));
    await advance(60 * 60_000);
    expect(applied).toEqual([]);
    await advance(30 * 60_000 - 1);
    expect(applied).toEqual([]);
    await advance(1);
    expect(applied).toEqual([3]);
  });

  test('that wait give way to higher ones, and to none that are lower', async () => {
    const keeper = keeperOf();
    const later = { validFrom: (agentNowMs ?? 0) + hourMs };
    await keeper.receive(await settings(4, later));
    await keeper.receive(await settings(3));
    expect(applied).toEqual([]);
    await keeper.receive(await settings(5));
    expect(applied).toEqual([5]);
    agentNowMs = (agentNowMs ?? 0) + 2 * hourMs;
    await clock.advance(2 * hourMs);
    expect(applied).toEqual([5]);
  });

  test('hold by our own clock where the agent’s is not known, and are looked at again once it is', async () => {
    const agentsNow = clock.now().wallMs;
    agentNowMs = null;
    clock.setWall(agentsNow - hourMs);
    const keeper = keeperOf();
    await keeper.receive(await settings(3, { validFrom: agentsNow }));
    expect(applied).toEqual([]);
    agentNowMs = agentsNow;
    keeper.timeKnown();
    await breathe();
    expect(applied).toEqual([3]);
  });

  test('that the disk does not take are tried again in a while, and applied once it does', async () => {
    const keeper = keeperOf();
    store.full = true;
    await keeper.receive(await settings(3));
    expect(said.map(({ name }) => name)).toContain('store.failed');
    await clock.advance(1_999);
    store.full = false;
    expect(applied).toEqual([]);
    await clock.advance(1);
    expect(applied).toEqual([3]);
    await clock.advance(hourMs);
    expect(applied).toEqual([3]);
  });

  test('of before the restart hold at once; older ones are refused still', async () => {
    await keeperOf().receive(await settings(3));
    applied = [];
    const again = keeperOf();
    expect(await again.load()).toMatchObject({ ok: true });
    expect(applied).toEqual([3]);
    await again.receive(await settings(2));
    expect(refusals()).toEqual(['message.stale']);
    expect(await keeperOf(new MemoryStore()).load()).toMatchObject({ ok: true });
    expect(applied).toEqual([3]);
  });

  test('on the disk by a key that is no agent’s any more: not applied, the floor stays', async () => {
    await store.raiseSettings(3, await settings(3, {}, nobodysKey), 1);
    const keeper = keeperOf();
    expect(await keeper.load()).toMatchObject({ ok: true });
    expect(refusals()).toEqual(['message.forged']);
    await keeper.receive(await settings(2));
    expect(applied).toEqual([]);
    expect(refusals()).toEqual(['message.forged', 'message.stale']);
    await keeper.receive(await settings(4));
    expect(applied).toEqual([4]);
  });

  test('that came before the disk was read are not put back by it', async () => {
    const keeper = keeperOf();
    await keeper.receive(await settings(3));
    await keeper.load();
    expect(applied).toEqual([3]);
  });

  test('that cannot be read are the answer to whoever asks for them', async () => {
    store.unopened = failure('storage.damaged');
    expect(await keeperOf().load()).toMatchObject({ ok: false, failure: { code: 'storage.damaged' } });
    expect([applied, refusals()]).toEqual([[], []]);
  });

  test('that the disk takes only after it is closed, or after higher ones came, are not applied', async () => {
    const raise = store.raiseSettings.bind(store);
    const held: (() => void)[] = [];
    store.raiseSettings = async (...of) => {
      await new Promise<void>((resolve) => held.push(resolve));
      return raise(...of);
    };
    const keeper = keeperOf();
    const first = keeper.receive(await settings(3));
    await until('the first write', () => held.length === 1);
    const second = keeper.receive(await settings(4));
    await until('the second write', () => held.length === 2);
    for (const release of held.splice(0)) release();
    await Promise.all([first, second]);
    expect(applied).toEqual([4]);
    store.full = true;
    const third = keeper.receive(await settings(5));
    await until('the third write', () => held.length === 1);
    keeper.close();
    for (const release of held.splice(0)) release();
    await third;
    store.full = false;
    await clock.advance(hourMs);
    expect([applied, held]).toEqual([[4], []]);
    expect(said.filter(({ name }) => name === 'store.failed')).toEqual([]);
  });

  test('are left alone once it is closed, also those that wait', async () => {
    const keeper = keeperOf();
    await keeper.receive(await settings(3, { validFrom: (agentNowMs ?? 0) + hourMs }));
    keeper.close();
    expect(await keeper.receive(await settings(4))).toBe(false);
    agentNowMs = (agentNowMs ?? 0) + 2 * hourMs;
    await clock.advance(2 * hourMs);
    expect(applied).toEqual([]);
  });
});
