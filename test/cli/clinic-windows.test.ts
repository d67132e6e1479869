import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { firewallRules, windowsClinic } from '../../src/cli/clinic-windows.ts';
import type { CommandEnd } from '../../src/cli/run-commands.ts';

/*
 * What Windows would hold after the commands of `provision clinic`, kept as icacls, sc and netsh keep it: rights that are
 * granted or inherited, a service that takes its time to stop, rules. Wine shows none of it (docs/windows.md).
 */

const everyUser = '*S-1-5-32-545';
const [agentUser, systemUser, administrators] = ['*S-1-5-19', '*S-1-5-18', '*S-1-5-32-544'];
const done = (code = 0, output = ''): CommandEnd => ({ ok: code === 0, code, output, complaint: '' });

class PretendWindows {
  /** Rights of a place that inherits nothing: user → right */
  readonly closed = new Map<string, Map<string, string>>();
  /** Rights of its own that somebody gave a file */
  readonly extra = new Map<string, string>();
  readonly rules = new Map<string, string>();
  service: 'RUNNING' | 'STOP_PENDING' | 'STOPPED' | 'none' = 'none';
  starts = 0;
  #queriesUntilStopped = 0;

  readonly ask = async (program: string, words: readonly string[]): Promise<CommandEnd> => {
    if (program === 'icacls.exe') return this.#icacls(words);
    if (program === 'sc.exe') return this.#serviceControl(words);
    if (program === 'netsh.exe') return this.#firewall(words);
    return done(1);
  };

  /** Who may read, by the nearest place that was closed; the folder above all lets everybody. */
  readers(path: string): string[] {
    let place = path;
    while (!this.closed.has(place) && place !== dirname(place)) place = dirname(place);
    const rights = this.closed.get(place) ?? new Map([[everyUser, 'RX']]);
    return [...rights.keys(), ...(this.extra.has(path) ? [this.extra.get(path) ?? ''] : [])].sort();
  }

  right(path: string, user: string): string | undefined {
    return this.closed.get(path)?.get(user);
  }

  #icacls([place = '', ...words]: readonly string[]): CommandEnd {
    if (words.includes('/reset')) {
      const above = dirname(place);
      for (const each of [...this.extra.keys()]) if (each.startsWith(above)) this.extra.delete(each);
      for (const each of [...this.closed.keys()])
        if (each !== above && each.startsWith(above)) this.closed.delete(each);
    }
    if (!words.includes('/inheritance:r')) return done();
    const granted = words.filter((word) => word.startsWith('*')).map((word) => word.split(':') as [string, string]);
    this.closed.set(place, new Map(granted));
    return done();
  }

  #serviceControl([verb, ...words]: readonly string[]): CommandEnd {
    if (verb === 'create') this.service = 'STOPPED';
    if (this.service === 'none') return done(1060);
    if (verb === 'query') {
      if (this.service === 'STOP_PENDING' && this.#queriesUntilStopped-- <= 0) this.service = 'STOPPED';
      // As a Japanese Windows prints it.
      return done(0, `SERVICE_NAME: ${words[0]}\n        状態               : 1  ${this.service}\n`);
    }
    if (verb === 'stop') {
      if (this.service !== 'RUNNING') return done(1062);
      this.service = 'STOP_PENDING';
      this.#queriesUntilStopped = 3;
    }
    if (verb === 'start') {
      if (this.service !== 'STOPPED') return done(1056);
      this.service = 'RUNNING';
      this.starts += 1;
    }
    return done();
  }

  #firewall([, , verb, , ...words]: readonly string[]): CommandEnd {
    const of = (key: string): string => words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1) ?? '';
    if (verb === 'add') this.rules.set(of('name'), `${of('protocol')} ${of('localport')}`);
    else this.rules.delete(of('name'));
    return done();
  }
}

let folder: string;
let windows: PretendWindows;
let pausedMs: number;
const pause = async (ms: number): Promise<void> => {
  pausedMs += ms;
};
const clinic = () => {
  const facility = join(folder, 'Uketsuke');
  const places = {
    ...{ facility, agent: join(facility, 'agents', 'agent-1') },
    ...{ broker: join(facility, 'broker'), oqs: join(folder, 'OQS') },
  };
  return { places, system: windowsClinic(places, windows.ask, pause) };
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-windows-'));
  windows = new PretendWindows();
  pausedMs = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('nobody but agent and administrators opens what lies there, and the place is closed before there is anything', async () => {
  const { places, system } = clinic();
  await system.closePlaces();
  expect(readdirSync(places.facility)).toEqual([]);
  for (const name of ['broker/tls-key.pem', 'agents/agent-1/staff.json', 'enrolment-letters.json', 'answers.yaml'])
    expect(windows.readers(join(places.facility, name)), name).toEqual([systemUser, agentUser, administrators].sort());
  const passphrase = join(places.facility, 'ca-passphrase');
  await system.closeToAgent(passphrase);
  expect(windows.readers(passphrase)).toEqual([systemUser, administrators].sort());
  await system.giveToAgent();
  // It writes in its own directory alone.
  expect(windows.right(places.facility, agentUser)).toBe('(OI)(CI)RX');
  expect(windows.right(places.agent, agentUser)).toBe('(OI)(CI)M');
  expect(windows.readers(join(places.oqs, 'face'))).toContain(everyUser);
});

test('a place of an earlier release, or of somebody else, is closed with all that is in it', async () => {
  const { places, system } = clinic();
  mkdirSync(places.agent, { recursive: true });
  const [key, passphrase] = [join(places.agent, 'tls-key.pem'), join(places.facility, 'ca-passphrase')];
  for (const file of [key, passphrase]) writeFileSync(file, '');
  windows.extra.set(key, everyUser);
  expect(windows.readers(key)).toContain(everyUser);
  await system.closePlaces();
  expect(windows.readers(key)).toEqual([systemUser, agentUser, administrators].sort());
  expect(windows.readers(passphrase)).toEqual([systemUser, administrators].sort());
});

test('a link that somebody laid there is refused: keys are written nowhere else', async () => {
  const { places, system } = clinic();
  mkdirSync(places.facility, { recursive: true });
  symlinkSync(tmpdir(), join(places.facility, 'agents'));
  await expect(system.closePlaces()).rejects.toThrow(/agents: a link/);
  rmSync(places.facility, { recursive: true });
  symlinkSync(tmpdir(), places.facility);
  await expect(system.closePlaces()).rejects.toThrow(/a link/);
});

test('the service has stopped before it is started anew', async () => {
  const { system } = clinic();
  await system.startServices(false);
  expect([windows.service, windows.starts]).toEqual(['RUNNING', 1]);
  await system.startServices(true);
  expect([windows.service, windows.starts]).toEqual(['RUNNING', 2]);
  expect(pausedMs).toBeGreaterThan(0);
});

test('a service that does not stop is told, and nobody waits for ever', async () => {
  const stuck = async (program: string, words: readonly string[]): Promise<CommandEnd> =>
    program === 'sc.exe' && words[0] === 'query' ? done(0, 'STATE : 3  STOP_PENDING') : done();
  await expect(windowsClinic(clinic().places, stuck, pause).startServices(true)).rejects.toThrow('does not stop');
  expect(pausedMs).toBeLessThanOrEqual(30_000);
});

test('terminals find the clinic, enrol and speak through the firewall; what is opened is closed when it is removed', async () => {
  await clinic().system.startServices(false);
  expect([...windows.rules.values()].sort()).toEqual(['TCP 8883', 'TCP 8884', 'UDP 8884']);
  const [, removed = ''] =
    /foreach \(\$rule in ([^)]*)\)/.exec(readFileSync('scripts/package/windows/install.ps1', 'utf8')) ?? [];
  expect(removed.split(', ').map((name) => name.slice(1, -1))).toEqual(firewallRules.map(({ name }) => name));
  const guide = readFileSync('docs/windows-guide.md', 'utf8');
  for (const { protocol, port } of firewallRules) expect(guide).toContain(`${protocol} ${port}`);
});
