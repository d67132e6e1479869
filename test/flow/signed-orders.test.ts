import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { openStaffPage, pressOn } from '../../scripts/beds/staff-page-bed.ts';
import { makeTestFacility } from '../../scripts/beds/test-facility.ts';
import { openVisitBed, type VisitBed } from '../../scripts/beds/visit-bed.ts';
import { isCarriedOut, type ShownOrder } from '../../src/agent/desk/carried-out.ts';
import { faultNames } from '../../src/catalogue/faults.ts';
import { failure } from '../../src/core/failure.ts';
import { makeSupportBundle } from '../../src/log/support-bundle.ts';
import { sign } from '../../src/trust/seal.ts';
import type { StateMessage } from '../../src/wire/messages.ts';
import { topicOf } from '../../src/wire/topics.ts';

/** Orders from the staff page to a terminal: signed, carried out once, and believed only when the terminal's state shows it. */
let bed: VisitBed;
let page: Awaited<ReturnType<typeof openStaffPage>>;
let done: string[];
const boot = crypto.randomUUID();

beforeEach(async () => {
  done = [];
  const note = (what: string) => () => void done.push(what);
  bed = await openVisitBed({
    restart: { daemon: note('daemon'), reader: note('reader'), face: note('face'), screen: note('screen') },
    machine: {
      boot,
      reboot: note('reboot'),
      supportBundle: async () => {
        done.push('bundle');
        return makeSupportBundle({
          about: { version: '0.1.0', device: 'front-1' },
          diagnoses: [],
          faults: new Set(faultNames),
          figures: { up_seconds: 5 },
          configuration: {},
          log: bed.logLines,
        });
      },
    },
  });
  page = await openStaffPage(bed.agent, []);
  await until('the lane', () => bed.agent.desk.lanes.wireOf('front-1') > 1);
});
afterEach(async () => {
  await page.close();
  await bed.close();
});

const get = async (path: string): Promise<string> => (await fetch(new URL(path, page.address))).text();
const post = async (path: string, form: Record<string, string> = {}): Promise<string> => {
  const shown = await pressOn(page.address, '/', path, form);
  await bed.agent.quiet();
  // What is told after an order is younger than the order.
  await bed.pass(1_000);
  return get(shown);
};
const lane = () => bed.agent.desk.lanes.all().find(({ device }) => device === 'front-1');
const told = (): StateMessage => {
  const state = lane()?.state;
  if (state == null) throw new Error('nothing told');
  return state;
};
/** The terminal says something else of itself, as after a restart. */
const tell = async (more: Partial<StateMessage>): Promise<void> => {
  const state = new TextEncoder().encode(JSON.stringify({ ...told(), ...more }));
  bed.broker.deliver(topicOf(bed.agent.testFacility.device.facility, 'front-1', 'state'), state);
  await bed.agent.quiet();
};
const newRun = () => ({ about: { ...told().about, run: crypto.randomUUID() } as StateMessage['about'] });

describe('an order counts as carried out when the state shows it', () => {
  it.each([
    ['reader', () => bed.reader.unplug(), () => bed.reader.plug()],
    ['face', () => bed.face.ail(failure('face.process-lost')), () => bed.face.ail(null)],
    ['screen', () => bed.screen.page('disconnected'), () => bed.screen.page('connected')],
  ] as const)(
    'restart of %s: not when it is answered, not when it goes; when it has come back',
    async (part, go, come) => {
      // What was there before any order is no return.
      if (part === 'screen') bed.screen.page('connected');
      expect(await post('/restart', { part })).toContain('再起動中');
      expect(done).toEqual([part]);
      go();
      await bed.pass(1_000);
      await bed.agent.quiet();
      expect(await get('/')).not.toContain('に復帰しました');
      come();
      await bed.pass(1_000);
      await bed.agent.quiet();
      expect(await get('/')).toContain('に復帰しました');
    },
  );

  it('restart of the terminal: a state of the same run proves nothing, one of another does', async () => {
    await post('/restart', { part: 'daemon' });
    await tell({ since: told().since + 1 });
    expect(await get('/')).not.toContain('に復帰しました');
    await tell({ ...newRun(), status: 'out-of-service', code: 'reader.lost' });
    expect(await get('/')).not.toContain('に復帰しました');
    await tell({ status: 'idle', code: undefined });
    expect(await get('/')).toContain('に復帰しました');
  });

  it('reboot: another run on the same start of the machine proves nothing; never below a patient', async () => {
    await post('/reboot');
    expect(done).toEqual(['reboot']);
    await tell(newRun());
    expect(await get('/')).not.toContain('に復帰しました');
    await tell({
      about: { ...told().about, run: crypto.randomUUID(), boot: crypto.randomUUID() } as StateMessage['about'],
    });
    expect(await get('/')).toContain('に復帰しました');
    await bed.insert('hanako');
    await bed.see('choose-method');
    expect(await post('/reboot')).toContain('端末が再起動を受け付けませんでした');
    expect(done).toEqual(['reboot']);
  });

  it('what does not show in two minutes is told', async () => {
    await post('/reboot');
    await bed.pass(121_000);
    expect(await get('/')).toContain('そのあとの状態で確認できません');
  });

  it('log level: more lines from then on, told in the state, and back', async () => {
    bed.log.setLevel('info');
    const debugLines = () => bed.logLines.filter((line) => line.includes('"level":"debug"')).length;
    const before = debugLines();
    expect(await post('/log-level', { level: 'debug' })).toContain('に端末の状態で確認しました');
    expect(told().about?.logLevel).toBe('debug');
    bed.log.event('challenge.stocked', { challenges: 1 });
    expect(debugLines()).toBe(before + 1);
    expect(await get('/')).toContain('記録をふだんに戻す');
    await post('/log-level', { level: 'info' });
    bed.log.event('challenge.stocked', { challenges: 1 });
    expect(debugLines()).toBe(before + 1);
    const sent = bed.broker.passedOn('command').length;
    await expect(post('/log-level', { level: 'trace' })).rejects.toThrow('404');
    expect(bed.broker.passedOn('command')).toHaveLength(sent);
  });

  it('support bundle: as the terminal signed it, to be saved from the page', async () => {
    expect((await fetch(new URL('/support-bundle?device=front-1', page.address))).status).toBe(404);
    expect(await post('/support-bundle')).toContain('に端末の状態で確認しました');
    const saved = await fetch(new URL('/support-bundle?device=front-1', page.address));
    expect(saved.headers.get('content-disposition')).toContain('uketsuke-front-1-');
    const bundle = JSON.parse(gunzipSync(Buffer.from(await saved.arrayBuffer())).toString('utf8'));
    expect(bundle).toMatchObject({ supportBundle: 1, about: { device: 'front-1' }, linesLeftOut: 0 });
    expect(bundle.log.map(({ event }: { event: string }) => event)).toContain('settings.applied');
  });
});

describe('replayed and foreign orders', () => {
  const all = async (): Promise<void> => {
    await post('/restart', { part: 'reader' });
    await post('/reboot');
    await post('/log-level', { level: 'debug' });
    await post('/support-bundle');
  };

  it('every recorded order and answer once more, at once and a minute later: nothing happens again', async () => {
    await all();
    const recorded = [...bed.broker.passedOn('command'), ...bed.broker.passedOn('command-result')];
    expect(recorded).toHaveLength(8);
    bed.log.setLevel('info');
    const before = [...done];
    for (const wait of [0, 60_000]) {
      await bed.pass(wait);
      for (const { topic, payload } of recorded) bed.broker.deliver(topic, payload);
      await bed.agent.quiet();
    }
    expect(done).toEqual(before);
    expect(bed.log.level).toBe('info');
  });

  it('signed by the agent of another clinic, by the terminal itself, for another terminal, by nobody: none is carried out', async () => {
    const { testFacility } = bed.agent;
    const other = await makeTestFacility();
    const { facility } = testFacility.device;
    const now = bed.clock.now().wallMs;
    const order = (device: string) => ({
      ...{
        facility,
        device,
        commandId: crypto.randomUUID(),
        nonce: Buffer.alloc(32, done.length + 1).toString('base64url'),
      },
      ...{ issuedAt: now, expiresAt: now + 15_000, command: { name: 'reboot' } },
    });
    const good = await sign('command', order('front-1'), testFacility.agent.signing);
    const forged = [
      await sign('command', order('front-1'), other.agent.signing),
      await sign('command', order('front-1'), testFacility.device.signing),
      await sign('command', order('front-2'), testFacility.agent.signing),
      await sign('settings', order('front-1'), testFacility.agent.signing),
      new TextEncoder().encode(JSON.stringify(order('front-1'))),
    ];
    for (const payload of forged) bed.broker.deliver(topicOf(facility, 'front-1', 'command'), payload);
    await bed.agent.quiet();
    expect(done).toEqual([]);
    // The same one, rightly signed, is: the others were refused for who signed them.
    bed.broker.deliver(topicOf(facility, 'front-1', 'command'), good);
    await until('the reboot', () => done.length > 0);
    expect(done).toEqual(['reboot']);
    other.remove();
  });

  it('a bundle that nobody asked for is not kept', async () => {
    const { testFacility } = bed.agent;
    const { facility } = testFacility.device;
    const result = { facility, device: 'front-1', commandId: crypto.randomUUID(), outcome: 'done', bundle: 'H4sI' };
    bed.broker.deliver(
      topicOf(facility, 'front-1', 'command-result'),
      await sign('command-result', result, testFacility.device.signing),
    );
    await bed.agent.quiet();
    expect(bed.agent.desk.commands.bundleOf('front-1')).toBeUndefined();
  });

  it('a terminal of the first release has no words for them: told, and nothing is sent', async () => {
    bed.broker.tamper = (passing) => {
      if (!passing.topic.endsWith('/state')) return [passing];
      const { about: _, ...state } = JSON.parse(new TextDecoder().decode(passing.payload));
      return [{ ...passing, payload: new TextEncoder().encode(JSON.stringify({ ...state, version: '0.1.0' })) }];
    };
    await tell({ version: '0.1.0', about: undefined });
    const sent = bed.broker.passedOn('command').length;
    for (const path of ['/reboot', '/support-bundle', '/self-test'])
      expect(await post(path)).toMatch(/プログラムは古く/);
    expect(bed.broker.passedOn('command')).toHaveLength(sent);
  });
});

describe('carried out, by what was said before and after', () => {
  const commandId = crypto.randomUUID();
  const state = (more: object, about: object | null = {}): StateMessage =>
    ({
      status: 'idle',
      ...more,
      ...(about && {
        about: { run: 'a', boot: 'x', logLevel: 'info', returns: { reader: 1, face: 1, screen: 1 }, ...about },
      }),
    }) as unknown as StateMessage;
  test.each<[string, ShownOrder, StateMessage, boolean]>([
    ['reader, the same count', { name: 'restart', part: 'reader', commandId }, state({}), false],
    [
      'face came, reader was meant',
      { name: 'restart', part: 'reader', commandId },
      state({}, { returns: { reader: 1, face: 2, screen: 1 } }),
      false,
    ],
    [
      'reader came',
      { name: 'restart', part: 'reader', commandId },
      state({}, { returns: { reader: 2, face: 1, screen: 1 } }),
      true,
    ],
    [
      'reader, and the whole terminal began anew',
      { name: 'restart', part: 'reader', commandId },
      state({}, { run: 'b' }),
      true,
    ],
    ['an older release, ready', { name: 'restart', part: 'daemon', commandId }, state({}, null), true],
    ['an older release, reboot', { name: 'reboot', commandId }, state({}, null), false],
    ['another level', { name: 'log-level', level: 'debug', commandId }, state({}, { logLevel: 'warn' }), false],
    ['another bundle', { name: 'support-bundle', commandId }, state({}, { reported: crypto.randomUUID() }), false],
    ['this bundle', { name: 'support-bundle', commandId }, state({}, { reported: commandId }), true],
  ])('%s', (_, order, after, expected) => expect(isCarriedOut(order, state({}), after)).toBe(expected));
});
