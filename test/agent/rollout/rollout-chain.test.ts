import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bundleName, PlayedChain, type PlayedFacility } from '../../../scripts/beds/rollout-chain.ts';
import { newKey } from '../../../src/agent/provisioning/make-device-keys.ts';
import { healthOf } from '../../../src/cli/rollout-health.ts';
import { initOperator, lookAtRollouts, type RolloutLook, signOrder } from '../../../src/cli/rollout-operator.ts';
import { readPlan } from '../../../src/cli/rollout-plan.ts';
import type { Health } from '../../../src/core/rollout/judge-waves.ts';
import { hourMs } from '../../../src/core/time-units.ts';
import { importSigningKey } from '../../../src/trust/key-files.ts';
import { sign } from '../../../src/trust/seal.ts';
import { rolloutFileOf } from '../../../src/wire/rollout-papers.ts';

/** 22:00 in Japan, a Tuesday */
const nightMs = Date.parse('2026-12-01T13:00:00Z');
const waves = [['a'], ['b', 'c'], ['d']];
const release = { kind: 'release', waves };
const good = { version: '0.3.0', isBad: false };
const bad = { version: '0.3.0', isBad: true };
const fixed = { version: '0.3.1', isBad: false };

let root: string;
let chain: PlayedChain;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'uketsuke-rollout-'));
  chain = await PlayedChain.make(root, nightMs, waves.flat());
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const file = (): string => join(chain.place.folder, rolloutFileOf('release'));
const stepsOf = (looks: readonly RolloutLook[]): readonly string[] => looks.map(({ step, wave }) => `${step} ${wave}`);
const given = (version: string): string =>
  chain.facilities
    .filter((each) => each.given.has(version))
    .map(({ name }) => name)
    .join('');
const why = async (facility: PlayedFacility): Promise<string | null> => (await facility.look()).why;
/** A day on, at the same hour, all looking meanwhile. */
const dayLater = async () => {
  chain.time.nowMs += 24 * hourMs;
  await chain.lookByOperator();
  return chain.round();
};

test('a good release reaches wave after wave, each a day after the one before', async () => {
  expect(await chain.sign(release, good)).toBe(1);
  expect(stepsOf(await chain.round())).toEqual(['open 1']);
  expect(given('0.3.0')).toBe('');
  expect(stepsOf(await chain.round())).toEqual(['wait 1']);
  expect(given('0.3.0')).toBe('a');
  expect(stepsOf(await dayLater())).toEqual(['wait 2']);
  expect(given('0.3.0')).toBe('abc');
  expect(stepsOf(await dayLater())).toEqual(['wait 3']);
  expect(given('0.3.0')).toBe('abcd');
  await dayLater();
  expect(stepsOf(await chain.round())).toEqual(['finished 3']);
  // Whoever comes late takes what is through: its word is dated freshly.
  expect(chain.facilities.map(({ runs }) => runs)).toEqual(['0.3.0', '0.3.0', '0.3.0', '0.3.0']);
});

describe('a bad release', () => {
  /** Wave 2 has it, and b and c have gone back: the operator's look stops. */
  const untilStopped = async (): Promise<readonly RolloutLook[]> => {
    await chain.sign(release, bad);
    // In the first facility it happens to go well.
    chain.facility('a').isLucky = true;
    await chain.round();
    await chain.round();
    chain.time.nowMs += 24 * hourMs;
    expect(stepsOf(await chain.lookByOperator())).toEqual(['open 2']);
    chain.facility('c').isOn = false;
    return chain.round();
  };

  test('stops where its health falls, and nobody beyond, nor who was away, ever has it', async () => {
    const [look] = await untilStopped();
    expect(look).toMatchObject({ step: 'stop', wave: 2, unwell: [{ facility: 'b', reason: 'fell-back' }] });
    chain.facility('c').isOn = true;
    for (let day = 0; day < 3; day += 1) expect(stepsOf(await dayLater())).toEqual(['stopped 2']);
    expect(given('0.3.0')).toBe('ab');
    for (const facility of chain.facilities) {
      expect(await why(facility)).toBe('stopped');
      expect(existsSync(facility.bundle), facility.name).toBe(false);
      expect((await facility.desk()).holdsBack('0.3.0'), facility.name).toBe(true);
    }
  });

  test('goes on only by the key of a person, who then lets pass whom they have seen', async () => {
    await untilStopped();
    chain.facility('c').isOn = true;
    await chain.round();
    const watchKey = join(chain.place.directory, 'watch-key.jwk.json');
    await expect(chain.goOn('release', watchKey)).rejects.toThrow('not a key of rollout-trust.json');
    expect(await chain.goOn('release')).toEqual(['b']);
    // c takes it now and falls back, too: b is let pass, c is not, and that consent is none to the second stop.
    expect(await chain.round()).toMatchObject([{ step: 'stop', wave: 2, unwell: [{ facility: 'c' }] }]);
    expect(given('0.3.0')).toBe('abc');
    expect(await why(chain.facility('c'))).toBe('stopped');
  });

  test('gives way to the next order, which nobody mistakes for the former one', async () => {
    await untilStopped();
    const former = readFileSync(file(), 'utf8');
    expect(await chain.sign(release, fixed)).toBe(2);
    await chain.round();
    await chain.round();
    expect(chain.facility('a').runs).toBe('0.3.1');
    writeFileSync(file(), former);
    expect(await why(chain.facility('a'))).toBe('older');
    expect(existsSync(chain.facility('a').bundle)).toBe(false);
  });

  test('stops by hand, too, without the key of the chain', async () => {
    await chain.sign(release, bad);
    await chain.round();
    expect(await chain.stop('release')).toMatchObject({ step: 'stop', wave: 1 });
    expect(await why(chain.facility('a'))).toBe('stopped');
    expect(given('0.3.0')).toBe('');
  });
});

test('the next release is given where the former one still was: its wave was open when the facility came', async () => {
  await chain.sign(release, good);
  await chain.round();
  const a = chain.facility('a');
  a.installs = false;
  expect(await why(a)).toBeNull();
  expect(readFileSync(a.bundle, 'utf8')).toContain('0.3.0');
  await chain.stop('release');
  await chain.sign(release, fixed);
  expect(stepsOf(await chain.lookByOperator())).toEqual(['open 1']);
  expect(await why(a)).toBeNull();
  expect(readFileSync(a.bundle, 'utf8')).toContain('0.3.1');
});

describe('of what lies in the folder a facility takes', () => {
  beforeEach(async () => {
    await chain.sign(release, good);
    await chain.round();
  });
  const papers = () => JSON.parse(readFileSync(file(), 'utf8')) as Record<'order' | 'word', string> & { consent: null };
  const write = (changed: object): void => writeFileSync(file(), JSON.stringify({ ...papers(), ...changed }));
  const a = (): PlayedFacility => chain.facility('a');
  const contentOf = (jws: string): object =>
    JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8')) as object;
  /** The same paper with other words in it: signed by nobody, or by `key` */
  const changed = async (jws: string, kind: 'rollout-order' | 'rollout-word', more: object, keyed = false) => {
    const content = { ...contentOf(jws), ...more };
    if (keyed)
      return new TextDecoder().decode(await sign(kind, content, await importSigningKey(await newKey('ES256'))));
    const [header = '', , signature = ''] = jws.split('.');
    return [header, Buffer.from(JSON.stringify(content)).toString('base64url'), signature].join('.');
  };

  test('nothing that is cut, changed, of a stranger, or of another use', async () => {
    const whole = readFileSync(file(), 'utf8');
    for (const length of [0, 1, 400, whole.length - 3]) {
      writeFileSync(file(), whole.slice(0, length));
      expect(await why(a()), `cut at ${length}`).toBe('unreadable');
    }
    // Far longer than any order: read no further than one may be.
    writeFileSync(file(), '');
    truncateSync(file(), 8_000_000_000);
    expect(await why(a())).toBe('unreadable');
    writeFileSync(file(), whole);
    const { order, word } = papers();
    for (const stranger of [false, true]) {
      write({ order: await changed(order, 'rollout-order', { waves: [['a', 'd']] }, stranger) });
      expect(await why(a())).toBe('forged');
      writeFileSync(file(), whole);
      write({ word: await changed(word, 'rollout-word', { wave: 3 }, stranger) });
      expect(await why(a())).toBe('forged');
      writeFileSync(file(), whole);
    }
    // A word laid where the order belongs; an order of this kind under another kind's name.
    write({ order: word });
    expect(await why(a())).toBe('forged');
    writeFileSync(file(), whole);
    cpSync(file(), join(chain.place.folder, rolloutFileOf('settings')));
    await a().look();
    expect((await a().stands()).find(({ kind }) => kind === 'settings')).toMatchObject({
      why: 'other-order',
      number: 0,
    });
    expect(a().given).toEqual(new Set(['0.3.0']));
  });

  test('nothing of a watch that signs itself a consent after a stop', async () => {
    await chain.stop('release');
    expect(await why(a())).toBe('stopped');
    const { word, order } = papers();
    const watch = await importSigningKey(
      JSON.parse(readFileSync(join(chain.place.directory, 'watch-key.jwk.json'), 'utf8')),
    );
    const said = contentOf(word) as { sequence: number };
    const by = async (kind: 'rollout-word' | 'rollout-consent', message: object) =>
      new TextDecoder().decode(await sign(kind, message, watch));
    const { sequence: _, wave: _wave, stopped: _stopped, ...about } = said as typeof said & Record<string, unknown>;
    write({
      order,
      word: await by('rollout-word', { ...said, sequence: said.sequence + 1, stopped: false }),
      consent: await by('rollout-consent', { ...about, lifts: said.sequence }),
    });
    expect(await why(a())).toBe('no-consent');
    expect(a().given.size).toBe(0);
  });

  test('nothing of an old copy, and gives back what it has not yet given to all its terminals', async () => {
    expect(await why(a())).toBeNull();
    expect(existsSync(a().bundle)).toBe(true);
    a().restart();
    chain.time.nowMs += 2 * hourMs + 1;
    expect(await why(a())).toBe('silent-watch');
    expect(existsSync(a().bundle)).toBe(false);
    await chain.round();
    expect(await why(a())).toBeNull();
    expect(existsSync(a().bundle)).toBe(true);
  });

  test('nothing where the clock is ten years off or in doubt, and goes on when it is right', async () => {
    const tenYearsMs = 10 * 365 * 24 * hourMs;
    for (const [aheadMs, reason] of [
      [tenYearsMs, 'expired'],
      [-tenYearsMs, 'from-the-future'],
    ] as const) {
      a().aheadMs = aheadMs;
      expect(await why(a())).toBe(reason);
    }
    a().aheadMs = 0;
    a().certainty = 'doubted';
    expect(await why(a())).toBe('clock');
    expect(a().given.size).toBe(0);
    a().certainty = 'plausible';
    expect(await why(a())).toBeNull();
  });

  test('the content alone that was signed, whole', async () => {
    const { content } = contentOf(papers().order) as { content: { sha256: string }[] };
    const path = join(chain.place.folder, content[0]?.sha256 ?? '');
    const bytes = readFileSync(path);
    rmSync(path);
    expect(await why(a())).toBe('content-missing');
    writeFileSync(path, bytes.subarray(0, 100));
    expect(await why(a())).toBe('content-missing');
    writeFileSync(path, Buffer.concat([bytes.subarray(0, -1), Buffer.from('y')]));
    expect(await why(a())).toBe('content-changed');
    writeFileSync(path, bytes);
    a().freeBytes = 400_000_000;
    expect(await why(a())).toBe('no-room');
    expect(a().given.size).toBe(0);
    a().freeBytes = 10_000_000_000;
    expect(await why(a())).toBeNull();
  });

  test('nothing before its disk has taken it, and stops all the same', async () => {
    // A file where a folder is due: no write there succeeds, as on a full disk.
    a().heldFile = 'full/rollout-held.json';
    a().restart();
    await a().desk();
    writeFileSync(a().at('full'), '');
    expect(await why(a())).toBe('unwritable');
    expect(a().given.size).toBe(0);
    await chain.stop('release');
    expect(await why(a())).toBe('stopped');
    rmSync(a().at('full'));
    expect(await why(a())).toBe('stopped');
    a().restart();
    expect((await a().stands())[0]).toMatchObject({ number: 1, taken: false });
  });

  test('nothing where what was seen cannot be read', async () => {
    expect(await why(a())).toBeNull();
    writeFileSync(a().at('rollout-held.json'), '{"release":');
    a().restart();
    expect(await why(a())).toBe('memory-damaged');
    expect((await a().desk()).holdsBack('0.2.0')).toBe(true);
  });

  test('a power cut anywhere: it begins again, and a stop meanwhile is a stop', async () => {
    const cut = (): void => a().restart();
    // Fetched, but not yet written down.
    cpSync(
      join(
        chain.place.folder,
        (contentOf(papers().order) as { content: { sha256: string }[] }).content[0]?.sha256 ?? '',
      ),
      a().at('whole'),
    );
    expect(await why(a())).toBeNull();
    rmSync(a().at('rollout-held.json'));
    cpSync(a().bundle, `${a().bundle}.withheld`);
    rmSync(a().bundle);
    cut();
    expect(await why(a())).toBeNull();
    expect(existsSync(a().bundle)).toBe(true);
    // Written down, but not yet given.
    cpSync(a().bundle, `${a().bundle}.withheld`);
    rmSync(a().bundle);
    cut();
    expect(await why(a())).toBeNull();
    expect(existsSync(a().bundle)).toBe(true);
    // Given, and the stop came while it was off.
    cut();
    await chain.stop('release');
    expect(await why(a())).toBe('stopped');
    expect(existsSync(a().bundle)).toBe(false);
    // Taken away from terminals, the stop not yet written: from the folder again, or from what was written.
    cut();
    rmSync(file());
    expect(await why(a())).toBe('unreadable');
    expect(existsSync(a().bundle)).toBe(false);
  });

  const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

  test('nothing after a stop, whatever somebody lays into the folder, wherever the bundle lies, and after a restart', async () => {
    const before = readFileSync(file(), 'utf8');
    a().installs = false;
    expect(await why(a())).toBeNull();
    const sha256 = hashOf(readFileSync(a().bundle, 'utf8'));
    expect((await a().desk()).withholds(sha256)).toBe(false);
    // Something stands where it is laid aside: it stays where terminals ask for it, and is given to none.
    mkdirSync(`${a().bundle}.withheld/full`, { recursive: true });
    await chain.stop('release');
    const stopped = readFileSync(file(), 'utf8');
    expect(await why(a())).toBe('stopped');
    expect(existsSync(a().bundle)).toBe(true);
    for (const [text, reason] of [
      [stopped, 'stopped'],
      ['{', 'unreadable'],
      [before, 'replayed'],
      [JSON.stringify({ ...papers(), word: 'a.b.c' }), 'forged'],
    ] as const) {
      writeFileSync(file(), text);
      expect(await why(a())).toBe(reason);
      const desk = await a().desk();
      expect([desk.withholds(sha256), desk.holdsBack('0.3.0'), desk.holdsBack('0.9.0')], reason).toEqual([
        ...[true, true, true],
      ]);
      // Its first look has not ended: the share hangs.
      a().restart();
      const begun = await a().desk();
      expect([begun.withholds(sha256), begun.holdsBack('0.9.0')]).toEqual([true, true]);
    }
  });

  test.runIf(process.platform !== 'win32')('no pipe, folder or device: each is looked at and left', async () => {
    const { content } = contentOf(papers().order) as { content: { sha256: string }[] };
    const path = join(chain.place.folder, content[0]?.sha256 ?? '');
    rmSync(path);
    execFileSync('mkfifo', [path]);
    expect(await why(a())).toBe('content-missing');
    rmSync(path);
    mkdirSync(path);
    expect(await why(a())).toBe('content-missing');
    rmSync(file());
    execFileSync('mkfifo', [file()]);
    expect(await why(a())).toBe('unreadable');
    rmSync(file());
    mkdirSync(file());
    expect(await why(a())).toBe('unreadable');
  });

  test('the room that a copy has taken which was cut off', async () => {
    const part = a().at('bundles/.rollout.part');
    mkdirSync(a().at('bundles'));
    writeFileSync(part, 'a gigabyte');
    Object.defineProperty(a(), 'freeBytes', { get: () => (existsSync(part) ? 0 : 10_000_000_000) });
    expect(await why(a())).toBeNull();
    expect(existsSync(part)).toBe(false);
  });

  test('and nothing more once it keeps its own: the same release laid there by hand stays, a stop is not for it', async () => {
    expect(await why(a())).toBeNull();
    const text = readFileSync(a().bundle, 'utf8');
    a().ownRelease = true;
    a().restart();
    expect(await why(a())).toBe('kept');
    expect(existsSync(a().bundle)).toBe(false);
    writeFileSync(a().bundle, text);
    await chain.stop('release');
    for (let times = 0; times < 2; times += 1) {
      a().restart();
      await a().look();
      expect(existsSync(a().bundle)).toBe(true);
      const desk = await a().desk();
      expect([desk.withholds(hashOf(text)), desk.holdsBack('0.3.0')]).toEqual([false, false]);
    }
    // Back in the chain: it is fetched again.
    await chain.goOn('release');
    rmSync(a().bundle);
    a().ownRelease = false;
    a().restart();
    expect(await why(a())).toBeNull();
    expect(existsSync(a().bundle)).toBe(true);
  });

  test('a release that is in force comes anew where its folder was emptied', async () => {
    expect(await why(a())).toBeNull();
    rmSync(a().bundle);
    a().restart();
    a().freeBytes = 0;
    expect([await why(a()), await why(a())]).toEqual(['no-room', 'no-room']);
    a().freeBytes = 10_000_000_000;
    expect(await why(a())).toBeNull();
    expect(readFileSync(a().bundle, 'utf8')).toContain('0.3.0');
  });

  test('what the next release leaves behind goes, also where a facility was off until its turn', async () => {
    expect(await why(a())).toBeNull();
    cpSync(a().bundle, a().at('bundles/other.raucb'));
    const held = JSON.parse(readFileSync(a().at('rollout-held.json'), 'utf8'));
    held.files[0].name = 'other.raucb';
    writeFileSync(a().at('rollout-held.json'), JSON.stringify(held));
    a().restart();
    await chain.stop('release');
    await chain.sign(release, fixed);
    await chain.lookByOperator();
    expect(await why(a())).toBeNull();
    expect(readFileSync(a().bundle, 'utf8')).toContain('0.3.1');
    expect(existsSync(a().at('bundles/other.raucb'))).toBe(false);
  });

  test('and leaves alone what a technician has laid there', async () => {
    a().installs = false;
    writeFileSync(join(a().at('bundles'), '..', 'own'), '');
    expect(await why(a())).toBeNull();
    writeFileSync(a().bundle, JSON.stringify({ version: '0.9.0', isBad: false }));
    await chain.stop('release');
    expect(await why(a())).toBe('stopped');
    expect(readFileSync(a().bundle, 'utf8')).toContain('0.9.0');
    expect(bundleName).toMatch(/raucb$/);
  });
});

test('a facility with its own release takes none, and holds nobody up', async () => {
  chain.facility('b').ownRelease = true;
  await chain.sign(release, good);
  await chain.round();
  await chain.round();
  await dayLater();
  expect(await why(chain.facility('b'))).toBe('kept');
  expect(stepsOf(await dayLater())).toEqual(['wait 3']);
  expect(given('0.3.0')).toBe('acd');
});

test('an agent of an older release, whose terminals wait for it, holds up the next wave and nobody stops', async () => {
  await chain.sign(release, good);
  await chain.round();
  chain.facility('a').installs = false;
  await chain.round();
  const [look] = await dayLater();
  expect(look).toMatchObject({ step: 'wait', wave: 1, waitsFor: ['a'] });
});

describe('settings', () => {
  const plan = (settings: object, days = 30) => ({ kind: 'settings', waves, settings, days });

  test('go the same way, and stay until the next ones', async () => {
    await chain.sign(plan({ theme: 'dark', textPercent: 150 }));
    await chain.round();
    await chain.round();
    const a = chain.facility('a');
    const laid = () => (JSON.parse(readFileSync(a.at('rollout-held.json'), 'utf8')) as { laid: object }).laid;
    expect(laid()).toEqual({ theme: 'dark', textPercent: 150 });
    expect(existsSync(chain.facility('b').at('rollout-held.json'))).toBe(true);
    expect((await chain.facility('b').stands())[1]).toMatchObject({ why: 'not-yet', taken: false });
    await chain.stop('settings');
    await a.look();
    expect(laid()).toEqual({ theme: 'dark', textPercent: 150 });
    await chain.sign(plan({ theme: 'default' }));
    await chain.round();
    await chain.round();
    expect(laid()).toEqual({ theme: 'default' });
  });

  test('that a facility cannot be given are not in force there, and are told', async () => {
    chain.facility('a').isGood = false;
    await chain.sign(plan({ theme: 'dark' }));
    await chain.round();
    await chain.round();
    expect((await chain.facility('a').stands())[1]).toMatchObject({ why: 'unusable', taken: false });
  });

  test('that are wrong, or a facility’s own, are refused before they are signed', async () => {
    await expect(chain.sign(plan({ theme: 'pink' }))).rejects.toThrow('theme');
    await expect(chain.sign(plan({ facilityName: 'X' }))).rejects.toThrow('a chain sets');
    await expect(chain.sign(plan({ languages: ['xx'] }))).rejects.toThrow('languages');
  });
});

describe('the operator', () => {
  test('is refused a second order while one runs, of any kind, and an older release', async () => {
    await chain.sign(release, good);
    await expect(chain.sign(release, fixed)).rejects.toThrow('order 1 (release) is not finished');
    await expect(chain.sign({ kind: 'settings', waves, settings: { theme: 'dark' } })).rejects.toThrow('one at a time');
    await chain.stop('release');
    await expect(chain.sign(release, { version: '0.2.9', isBad: false })).rejects.toThrow('older');
    expect(await chain.sign({ kind: 'settings', waves, settings: { theme: 'dark' } })).toBe(1);
    await expect(chain.goOn('release')).rejects.toThrow('one at a time');
  });

  test('is alone: no look beside another, a stop while a Prometheus is late; what one that was cut off has left locks nobody out', async () => {
    await chain.sign(release, good);
    const lock = join(chain.place.directory, 'rollout.lock');
    // Left by one that was cut off: the system has let go of it.
    expect(existsSync(lock)).toBe(true);
    let answers = (_health: Health): void => {};
    const late = lookAtRollouts(chain.place, () => new Promise((resolve) => (answers = resolve)));
    expect(await chain.stop('release')).toMatchObject({ step: 'stop' });
    answers(new Map());
    expect(await late).toMatchObject([{ step: 'stopped' }]);
    const results = await Promise.allSettled([chain.stop('release'), chain.stop('release')]);
    expect(results.map(({ status }) => status)).toContain('rejected');
    expect(JSON.stringify(results.map((each) => each.status === 'rejected' && String(each.reason)))).toContain(
      'at work',
    );
  });

  test('with another key of the watch says nothing of orders that name the former one, and signs the next', async () => {
    await chain.sign(release, good);
    await chain.round();
    await chain.stop('release');
    rmSync(join(chain.place.directory, 'watch-key.jwk.json'));
    await initOperator(chain.place.directory, 'midori', chain.keyPath);
    for (let times = 0; times < 2; times += 1)
      await expect(chain.round()).rejects.toThrow('order 1 (release) is of another watch key');
    // Of the others it is told all the same.
    await chain.sign({ kind: 'settings', waves, settings: { theme: 'dark' } });
    const told: RolloutLook[] = [];
    const answer = await chain.answer();
    const health = async () => healthOf(answer, chain.time.nowMs);
    await expect(lookAtRollouts(chain.place, health, (look) => told.push(look))).rejects.toThrow('watch key');
    expect(told).toMatchObject([{ kind: 'settings', step: 'open' }]);
    await chain.stop('settings');
    expect(await chain.sign(release, fixed)).toBe(2);
    await chain.round();
    await chain.round();
    expect(given('0.3.1')).toBe('a');
  });

  test('writes through no link that lies in the folder, and leaves content that others may read', async () => {
    const watchKey = join(chain.place.directory, 'watch-key.jwk.json');
    const before = readFileSync(watchKey, 'utf8');
    symlinkSync(watchKey, `${file()}.new`);
    const settings = `${JSON.stringify({ theme: 'dark' })}\n`;
    const sha256 = createHash('sha256').update(settings).digest('hex');
    symlinkSync(watchKey, join(chain.place.folder, sha256));
    await chain.sign({ kind: 'settings', waves, settings: { theme: 'dark' } });
    expect(readFileSync(join(chain.place.folder, sha256), 'utf8')).toBe(settings);
    await chain.stop('settings');
    const path = chain.writePlan(release, good);
    chmodSync(join(path, '..', bundleName), 0o600);
    const bundle = createHash('sha256')
      .update(readFileSync(join(path, '..', bundleName)))
      .digest('hex');
    symlinkSync(watchKey, join(chain.place.folder, `${bundle}.part`));
    await chain.sign(release, good);
    expect(readFileSync(watchKey, 'utf8')).toBe(before);
    expect(statSync(join(chain.place.folder, bundle)).mode & 0o777).toBe(0o644);
  });

  test('is refused a facility in two waves, and a key that facilities do not know', async () => {
    const twice = {
      ...release,
      waves: [
        ['a', 'b'],
        ['c', 'a', 'b'],
      ],
    };
    await expect(chain.sign(twice, good)).rejects.toThrow('a, b: named in more than one wave');
    const path = join(root, 'other-key.json');
    writeFileSync(path, JSON.stringify(await newKey('ES256')));
    await expect(chain.sign(release, good, path)).rejects.toThrow('not a key of rollout-trust.json');
  });

  test('changes keys by an order, first to both, then to the new one, and no facility is locked out', async () => {
    const trustOf = (name: string): { keys: { kid: string }[] } =>
      JSON.parse(readFileSync(chain.facility(name).at('rollout-trust.json'), 'utf8'));
    const nextKey = join(root, 'stick/next-key.jwk.json');
    const trustFile = await initOperator(chain.place.directory, 'midori', nextKey);
    const both = JSON.parse(readFileSync(trustFile, 'utf8')) as { chain: string; keys: { kid: string }[] };
    const [former, next] = both.keys;
    const signKeys = async (keys: readonly unknown[], keyPath: string) => {
      const path = chain.writePlan({ kind: 'keys', waves: [waves.flat()], content: ['next.json'], days: keys.length });
      writeFileSync(join(path, '..', 'next.json'), JSON.stringify({ chain: 'midori', keys }));
      return signOrder(chain.place, await readPlan(path), keyPath);
    };
    // The new one alone would lock out whoever has not heard of it.
    await signKeys([next], chain.keyPath);
    await chain.round();
    await chain.round();
    expect((await chain.facility('a').stands())[2]).toMatchObject({ why: 'unusable', taken: false });
    expect(trustOf('a').keys.map(({ kid }) => kid)).toEqual([former?.kid]);
    await chain.stop('keys');
    await signKeys([former, next], chain.keyPath);
    await chain.round();
    await chain.round();
    expect(trustOf('d').keys.map(({ kid }) => kid)).toEqual([former?.kid, next?.kid]);
    await chain.stop('keys');
    await signKeys([next], nextKey);
    await chain.round();
    await chain.round();
    expect(trustOf('d').keys.map(({ kid }) => kid)).toEqual([next?.kid]);
    // The former key is nobody's any more.
    await chain.stop('keys');
    await chain.sign(release, good);
    await chain.round();
    await chain.round();
    expect(await why(chain.facility('a'))).toBe('forged');
  });

  describe('a key that is none', () => {
    type Jwk = Record<'kty' | 'crv' | 'x' | 'y' | 'kid', string>;
    const trustFile = (): string => chain.facility('a').at('rollout-trust.json');
    const keysOf = (path: string): Jwk[] => (JSON.parse(readFileSync(path, 'utf8')) as { keys: Jwk[] }).keys;
    /** Of the right form; no such point lies on the curve */
    const mistyped = (key: Jwk): Jwk => ({ ...key, y: key.x });
    const signKeys = async (keys: readonly Jwk[]) => {
      const path = chain.writePlan({ kind: 'keys', waves: [waves.flat()], content: ['next.json'] });
      copyFileSync(trustFile(), join(path, '..', 'next.json'));
      const plan = await readPlan(path);
      // What the operator's own tool would refuse
      const from = Buffer.from(JSON.stringify({ chain: 'midori', keys }));
      const sha256 = createHash('sha256').update(from).digest('hex');
      const entry = { name: 'next.json', sha256, bytes: from.length };
      await signOrder(chain.place, { ...plan, content: [{ entry, from }] }, chain.keyPath);
      await chain.round();
      await chain.round();
      return (await chain.facility('a').stands())[2];
    };
    const former = (): Jwk => keysOf(trustFile())[0] as Jwk;
    const next = async (): Promise<Jwk> =>
      keysOf(await initOperator(chain.place.directory, 'midori', join(root, 'stick/next-key.jwk.json')))[1] as Jwk;

    test('beside the one that signed, or under its name, is taken by no facility', async () => {
      const before = readFileSync(trustFile(), 'utf8');
      expect(await signKeys([former(), mistyped(await next())])).toMatchObject({ why: 'unusable', taken: false });
      await chain.stop('keys');
      const other = { ...(await next()), kid: former().kid };
      expect(await signKeys([other])).toMatchObject({ why: 'unusable', taken: false });
      expect(readFileSync(trustFile(), 'utf8')).toBe(before);
      // The chain is obeyed as before.
      await chain.stop('keys');
      await chain.sign(release, good);
      await chain.round();
      await chain.round();
      expect(await why(chain.facility('a'))).toBeNull();
    });

    test('is refused where the plan is read', async () => {
      const path = chain.writePlan({ kind: 'keys', waves: [waves.flat()], content: ['next.json'] });
      const keys = [former(), mistyped(await next())];
      writeFileSync(join(path, '..', 'next.json'), JSON.stringify({ chain: 'midori', keys }));
      await expect(readPlan(path)).rejects.toThrow('one rollout-trust.json');
    });

    test('is told where a technician has laid it', async () => {
      await chain.sign(release, good);
      await chain.round();
      writeFileSync(trustFile(), JSON.stringify({ chain: 'midori', keys: [former(), mistyped(await next())] }));
      expect(await why(chain.facility('a'))).toBe('forged');
    });
  });
});
