import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { typed } from '../../scripts/beds/typed-command.ts';
import { writtenCommands } from '../../scripts/trials/installed/guide.ts';
import { healthOf } from '../../src/cli/rollout-health.ts';
import { readSettings } from '../../src/config-file/read-settings.ts';
import { agentConfigSchema } from '../../src/processes/agent-config.ts';

/** What docs/updating.md tells an operator to type, as it stands there, with other folders. */
const guide = readFileSync('docs/updating.md', 'utf8');
const written = writtenCommands('docs/updating.md').filter((command) => command.startsWith('uketsuke rollout'));
/** The blocks of YAML in the chapter: of agent.yaml, and a plan */
const [ofAgent = '', plan = ''] = [...guide.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = '']) => block);

let root: string;
let prometheus: ReturnType<typeof createServer>;
/** Facilities of the plan that answer, with their terminal's failed release */
let failed: Readonly<Record<string, string | null>> = {};
let taken = 0;
let asked = '';
const sample = (facility: string, name: string, labels: object, value: number) => ({
  metric: { __name__: name, facility, ...labels },
  value: [Date.now() / 1_000, String(value)],
});

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'uketsuke-rollout-cli-'));
  writeFileSync(join(root, 'plan.yaml'), plan.replace(/^# watchHours: 24.*$/m, 'watchHours: 0'));
  writeFileSync(join(root, 'uketsuke-terminal-arm64.raucb'), 'a release');
  prometheus = createServer(({ url = '' }, response) => {
    asked = new URL(url, 'http://x').searchParams.get('query') ?? '';
    const result = Object.entries(failed).flatMap(([facility, version]) => [
      sample(facility, 'uketsuke_agent_broker_up', {}, 1),
      sample(facility, 'uketsuke_agent_rollout_taken', { kind: 'release' }, taken),
      sample(facility, 'uketsuke_agent_rollout_done', { kind: 'release' }, taken),
      ...(version === null ? [] : [sample(facility, 'uketsuke_terminal_update_failed', { version }, 1)]),
    ]);
    response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
  });
  await new Promise<void>((resolve) => prometheus.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  prometheus.close();
  rmSync(root, { recursive: true, force: true });
});

/** As it stands in the guide, in the folders of this test */
const run = (command: string, lang?: string) => {
  const place = command.replaceAll(/\/(srv|media)\//g, `${root}/`).replace('plan.yaml', join(root, 'plan.yaml'));
  return typed(place.split(' ').slice(1), lang);
};
const [, look = ''] = /\*\/10 \* \* \* \* rollout (uketsuke rollout look [^`]+)`/.exec(guide) ?? [];
const looks = (lang?: string) => {
  const { port } = prometheus.address() as AddressInfo;
  return run(look.replace('127.0.0.1:9090', `127.0.0.1:${port}`), lang);
};
const command = (words: string): string => written.find((each) => each.includes(words)) ?? '';

test('what the guide says is what happens, from the keys to a stop and on', async () => {
  expect(written).toHaveLength(6);
  expect(await run(command('rollout init'))).toMatchObject({
    status: 0,
    out: join(root, 'rollout/rollout-trust.json'),
  });
  expect((await run(command('rollout plan'))).out.split('\n')).toHaveLength(3);
  expect(await run(command('rollout sign'))).toMatchObject({
    ...{ status: 0, out: expect.stringContaining('order 1 (release) is signed, for nobody yet') },
  });
  expect(await run(command('rollout sign'))).toMatchObject({
    status: 2,
    error: expect.stringContaining('one at a time'),
  });

  failed = {};
  expect((await looks()).out).toContain('nothing is heard of clinic-1');
  failed = { 'clinic-1': null, 'clinic-2': null, 'clinic-3': null, 'clinic-4': null };
  expect(await looks()).toMatchObject({ status: 0, out: 'order 1 (release): wave 1 of 3 may begin' });
  expect((await looks()).out).toBe('order 1 (release): wave 1 of 3 waits for clinic-1');
  taken = 1;
  expect((await looks()).out).toBe('order 1 (release): wave 2 of 3 may begin');
  failed = { ...failed, 'clinic-3': '0.3.0' };
  expect(await looks()).toMatchObject({
    status: 1,
    out: expect.stringContaining('(clinic-3: a terminal went back from 0.3.0 (fell-back))'),
  });
  // Whoever looks by hand later is told the same.
  const again = await looks('ja_JP.UTF-8');
  expect(again).toMatchObject({ status: 1, out: expect.stringContaining('第 2 組で止まっています') });
  expect(again.out).toContain('clinic-3：端末が 0.3.0 から前の版へ戻った');

  expect(await run(command('rollout go-on'))).toMatchObject({ status: 0, error: 'let pass as they are: clinic-3' });
  expect((await looks()).status).toBe(0);
  expect(await run(command('rollout stop'))).toMatchObject({ status: 0, out: expect.stringContaining('stopped') });
  expect((await looks()).status).toBe(1);
  expect(asked).toBe((await run('uketsuke rollout question')).out);
  const { status } = await run(command('chain-key-2'));
  expect([status, JSON.parse(readFileSync(join(root, 'rollout/rollout-trust.json'), 'utf8'))]).toMatchObject([
    ...[0, { keys: [{}, {}] }],
  ]);
});

test('an answer of yesterday, and none, are no health', async () => {
  const path = join(root, 'answer.json');
  const yesterday = {
    metric: { __name__: 'uketsuke_agent_broker_up', facility: 'clinic-1' },
    value: [Date.now() / 1_000 - 86_400, '1'],
  };
  writeFileSync(path, JSON.stringify({ status: 'success', data: { resultType: 'vector', result: [yesterday] } }));
  const places = look.replace(/--prometheus \S+/, '');
  expect(await run(`${places.trim()} --answer ${path}`)).toMatchObject({
    status: 2,
    error: expect.stringContaining('of another time'),
  });
  writeFileSync(path, '{"status":"error"}');
  expect(await run(`${places.trim()} --answer ${path}`)).toMatchObject({
    status: 2,
    error: expect.stringContaining('no answer of Prometheus'),
  });
  expect(await run(`${places.trim()} --prometheus http://127.0.0.1:1`)).toMatchObject({
    ...{ status: 2, error: expect.stringContaining('Prometheus does not answer') },
  });
});

describe('what answers in the place of Prometheus', () => {
  const [nowMs, kind] = [Date.now(), 'release'];
  const vector = (...result: object[]) => JSON.stringify({ status: 'success', data: { resultType: 'vector', result } });
  const up = sample('clinic-1', 'uketsuke_agent_broker_up', {}, 1);
  const told = (name: string, value: number) => sample('clinic-1', `uketsuke_agent_rollout_${name}`, { kind }, value);

  test.each([
    ['the one', 7, 0],
    ['the other', 0, 7],
  ])('of two agents in a facility the last has to carry it out, and what one has taken counts: %s', (_name, a, b) => {
    const both = healthOf(vector(up, told('taken', a), told('done', a), told('taken', b), told('done', b)), nowMs);
    expect(both.get('clinic-1')).toMatchObject({ taken: { release: 7 }, done: { release: 0 } });
  });

  test('no number hides none', () => {
    const none = Number.NaN;
    const all = vector(
      up,
      told('taken', none),
      told('taken', 7),
      told('taken', none),
      told('done', 7),
      told('done', none),
    );
    expect(healthOf(all, nowMs).get('clinic-1')).toMatchObject({ taken: { release: 7 }, done: { release: none } });
  });

  test('one sample of yesterday among those of now is an old answer', () => {
    const old = { ...told('done', 7), value: [nowMs / 1_000 - 86_400, '7'] };
    expect(() => healthOf(vector(up, old), nowMs)).toThrow('of another time');
  });

  const answering = async (answer: (response: ServerResponse) => void) => {
    const server = createServer((_request, response) => answer(response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { error } = await run(`${look.replace('127.0.0.1:9090', `127.0.0.1:${port}`)}`);
    server.closeAllConnections();
    server.close();
    return error;
  };

  test('it breaks off, or never ends: told, with nothing kept of it', async () => {
    const cut = await answering((response) => {
      response.write('{"status":', () => response.destroy());
    });
    expect(cut).toMatch(/127\.0\.0\.1:\d+: Prometheus does not answer/);
    const piece = ' '.repeat(1 << 20);
    const endless = await answering((response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(piece));
      };
      response.on('drain', more);
      more();
    });
    expect(endless).toContain('no answer of Prometheus');
  });
});

test('the lines for agent.yaml are some that an agent takes', () => {
  expect(ofAgent).toContain('rollout:');
  expect(readSettings(agentConfigSchema, ofAgent)).toMatchObject({
    ...{ ok: true, value: { rollout: { folder: '/srv/chain', ownRelease: false, closedFrom: '21:00' } } },
  });
  // The others, too, without their marks.
  const all = ofAgent.replaceAll(/^ {2}# (\w+: )/gm, '  $1');
  expect(readSettings(agentConfigSchema, all)).toMatchObject({
    ...{ ok: true, value: { rollout: { ownRelease: true, ownSettings: ['theme'], closedUntil: '07:00' } } },
  });
});
