import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { makeTestFacility } from '../../scripts/beds/test-facility.ts';
import { agentFiles } from '../../src/agent/provisioning/agent-keys.ts';
import { seesTooLittle } from '../../src/cli/doctor.ts';
import {
  addressOf,
  agentKnows,
  lastWordsOf,
  nameServersHere,
  slotLoaderBuiltMs,
  thisMachine,
  unitStateOf,
} from '../../src/cli/doctor-probes.ts';
import { defaultConfigPath } from '../../src/processes/terminal-config.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-probes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const sh = (program: string, input = '') =>
  spawnSync('unshare', ['-m', 'sh', '-c', program], { encoding: 'utf8', input });

const isRoot = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;
const onDisk = (mount: string): string =>
  `truncate -s 8M ${folder}/i && mkfs.ext4 -q ${folder}/i && mkdir ${folder}/m && ${mount}`;

describe('a place that takes no writes', () => {
  /** In a mount namespace of its own: before and after `change`. */
  const seen = (prepare: string, change: string): string => {
    const program = `
      import { execSync } from 'node:child_process';
      import { thisMachine } from ${JSON.stringify(new URL('../../src/cli/doctor-probes.ts', import.meta.url).href)};
      const before = await thisMachine.isReadOnly('${folder}/m');
      execSync('${change}');
      console.log(before, await thisMachine.isReadOnly('${folder}/m'));
      process.exit();`;
    const node = `${process.execPath} --disable-warning=ExperimentalWarning --input-type=module`;
    return sh(`${prepare} && ${node}; umount ${folder}/m`, program).stdout;
  };

  test('is none of the folder of this test', async () => {
    expect(await thisMachine.isReadOnly(folder)).toBe(false);
  });

  if (!isRoot) console.warn('skipped: mounts that are read-only need root');
  test.skipIf(!isRoot)('is a bind mount that is read-only, for root, too', () => {
    const prepare = `mkdir ${folder}/m && mount --bind ${folder}/m ${folder}/m`;
    expect(seen(prepare, `mount -o remount,ro,bind ${folder}/m`)).toBe('false true\n');
  });

  const mount = (): string => onDisk(`mount -o loop,errors=remount-ro ${folder}/i ${folder}/m`);
  const probe = mkdtempSync(join(tmpdir(), 'uketsuke-loop-'));
  folder = probe;
  const mountable = isRoot && sh(`${mount()} && umount ${folder}/m`).status === 0;
  rmSync(probe, { recursive: true, force: true });
  if (!mountable) console.warn('skipped: a disk with errors needs root, mkfs.ext4 and loop devices');
  test.skipIf(!mountable)('is a disk that turned read-only after an error, which the mount itself does not say', () => {
    expect(seen(mount(), `mount -o remount,abort ${folder}/m`)).toBe('false true\n');
  });
});

describe('a unit', () => {
  const told = (active: string, restarts: number, more = 'UnitFileState=enabled\nLoadState=loaded'): string =>
    `ActiveState=${active}\nNRestarts=${restarts}\nInvocationID=ab12\n${more}\n`;

  test.each([
    ['activating', 0, 'beginning'],
    ['activating', 1, 'failing'],
    ['failed', 0, 'failing'],
    ['active', 7, 'running'],
    ['inactive', 0, 'stopped'],
  ])('that is %s after %d restarts is %s', (active, restarts, state) => {
    expect(unitStateOf(told(active, restarts))).toEqual({ state, isWanted: true, lastWords: '' });
  });

  test('that nobody set up is not wanted; a masked one is stopped; one that is not there is none', () => {
    expect(unitStateOf(told('inactive', 0, 'UnitFileState=disabled\nLoadState=loaded'))?.isWanted).toBe(false);
    expect(unitStateOf(told('inactive', 0, 'LoadState=masked'))).toMatchObject({ state: 'stopped', isWanted: true });
    expect(unitStateOf(told('inactive', 0, 'LoadState=not-found'))).toBeNull();
  });

  test('that runs has said of itself what its status tells', () => {
    const more = 'StatusText=storage.newer\nUnitFileState=enabled\nLoadState=loaded';
    expect(unitStateOf(told('active', 0, more))).toMatchObject({ state: 'running', lastWords: 'storage.newer' });
  });

  test.each(['bad-setting', 'error'])('whose file systemd refuses (%s) cannot start, unless it still runs', (load) => {
    const more = `LoadState=${load}\nUnitFileState=enabled`;
    expect(unitStateOf(told('inactive', 0, more))).toMatchObject({
      ...{ state: 'failing', isWanted: true, lastWords: expect.stringContaining('systemd-analyze verify') },
    });
    expect(unitStateOf(told('active', 0, more))).toMatchObject({ state: 'running' });
  });
});

test('the registry of the agent on this machine has a terminal, lacks it, has revoked it, or is not there', async () => {
  const place = await makeTestFacility();
  const registry = join(place.agentDirectory, agentFiles.devices);
  try {
    expect(await agentKnows('front-1', place.agentDirectory)).toBe(true);
    expect(await agentKnows('front-9', place.agentDirectory)).toBe(false);
    const [first, ...others] = JSON.parse(readFileSync(registry, 'utf8'));
    writeFileSync(registry, JSON.stringify([{ ...first, revokedAt: 1 }, ...others]));
    expect(await agentKnows(first.device, place.agentDirectory)).toBe(false);
    writeFileSync(registry, '[]');
    expect(await agentKnows('front-1', place.agentDirectory)).toBe(false);
  } finally {
    place.remove();
  }
  expect(await agentKnows('front-1', folder)).toBeNull();
});

describe('the last words of a unit', () => {
  const ofStart = 'Started uketsuke.service - Uketsuke terminal.';
  const ends = [
    'uketsuke.service: Main process exited, code=exited, status=1/FAILURE',
    "uketsuke.service: Failed with result 'exit-code'.",
    'Failed to start uketsuke.service - Uketsuke terminal.',
    'uketsuke.service: Scheduled restart job, restart counter is at 3.',
  ];

  test.each([
    ['of the process', [ofStart, 'uketsuke run: no keys', ...ends], 'uketsuke run: no keys'],
    [
      "of systemd today, not the process's of an earlier start",
      ['uketsuke run: no keys', ...ends, 'uketsuke.service: Failed at step EXEC spawning /x: No such file', ...ends],
      'uketsuke.service: Failed at step EXEC spawning /x: No such file',
    ],
    [
      'before its stack, and not in the log of events',
      [
        '{"event":"process.error","detail":"an error that failed"}',
        '      throw er; // Unhandled error event',
        'Error: listen EADDRINUSE: address already in use 127.0.0.1:8490',
        '    at emitErrorNT (node:net:1976:8)',
        "Emitted 'error' event on Server instance at:",
        "  code: 'EADDRINUSE',",
        'Node.js v24.1.0',
        ...ends,
      ],
      'Error: listen EADDRINUSE: address already in use 127.0.0.1:8490',
    ],
    [
      'of another program',
      ['1732900000: Error: Unable to load server key', ...ends],
      '1732900000: Error: Unable to load server key',
    ],
    [
      'what it stumbled over and where, if only the log of events says so',
      ['{"level":"error","event":"process.error","error":"ReferenceError","place":"src/a.ts:46:30"}', ...ends],
      'ReferenceError src/a.ts:46:30',
    ],
    [
      'how it ended, where nobody says why',
      [ofStart, "uketsuke.service: Failed with result 'watchdog'."],
      "uketsuke.service: Failed with result 'watchdog'.",
    ],
    ['none', [ofStart], ''],
  ])('are those %s', (_name, lines, words) => {
    expect(lastWordsOf(lines.join('\n'))).toBe(words);
  });
});

const canPack = isRoot && spawnSync('dpkg-deb', ['--version']).status === 0;
if (!canPack) console.warn('skipped: damaged packages need root and dpkg');
test.skipIf(!canPack)('each damaged file is told with its package', async () => {
  const root = join(folder, 'root');
  mkdirSync(join(root, 'var/lib/dpkg'), { recursive: true });
  writeFileSync(join(root, 'var/lib/dpkg/status'), '');
  for (const name of ['uketsuke', 'uketsuke-agent']) {
    const tree = join(folder, name);
    for (const place of ['DEBIAN', 'usr/lib', 'usr/lib/uketsuke/models'])
      mkdirSync(join(tree, place), { recursive: true });
    writeFileSync(
      join(tree, 'DEBIAN/control'),
      `Package: ${name}\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n`,
    );
    const rules = `usr/share/polkit-1/rules.d/50-${name}.rules`;
    mkdirSync(join(tree, rules, '..'), { recursive: true });
    for (const place of [`usr/lib/${name}.ts`, `usr/lib/uketsuke/models/${name}.onnx`, rules])
      writeFileSync(join(tree, place), 'as packed');
    spawnSync('dpkg-deb', ['--build', '--root-owner-group', tree]);
    const made = spawnSync('dpkg', [`--root=${root}`, '--force-script-chrootless', '-i', `${tree}.deb`], {
      encoding: 'utf8',
    });
    expect(made.status, made.stderr).toBe(0);
  }
  process.env.DPKG_ROOT = root;
  process.env.DPKG_ADMINDIR = join(root, 'var/lib/dpkg');
  try {
    // As Debian's polkit keeps its rules: nobody else passes.
    chmodSync(join(root, 'usr/share/polkit-1/rules.d'), 0o700);
    expect(await thisMachine.damagedFiles()).toEqual([]);
    writeFileSync(join(root, 'usr/lib/uketsuke-agent.ts'), 'changed');
    rmSync(join(root, 'usr/lib/uketsuke/models/uketsuke.onnx'));
    expect(await thisMachine.damagedFiles()).toEqual([
      { package: 'uketsuke-agent', path: '/usr/lib/uketsuke-agent.ts' },
    ]);
    // Whole, and shut to everybody but the doctor, which is root.
    const models = join(root, 'usr/lib/uketsuke/models');
    chmodSync(models, 0o700);
    const shut = (await thisMachine.damagedFiles())?.map((each) => each.path);
    expect(shut).toContain('/usr/lib/uketsuke/models/uketsuke-agent.onnx');
    chmodSync(models, 0o755);
    chmodSync(join(root, 'usr/lib/uketsuke.ts'), 0o640);
    expect((await thisMachine.damagedFiles())?.map((each) => each.package)).toEqual(['uketsuke', 'uketsuke-agent']);
    rmSync(join(root, 'usr/lib/uketsuke.ts'));
    expect((await thisMachine.damagedFiles())?.map((each) => each.package)).toEqual(['uketsuke', 'uketsuke-agent']);
  } finally {
    delete process.env.DPKG_ROOT;
    delete process.env.DPKG_ADMINDIR;
  }
});

describe('uketsuke doctor, by the units of a machine that systemd tells of', () => {
  type Printed = {
    readonly diagnoses: readonly { readonly check: string; readonly fault?: string; readonly detail: string }[];
  };
  /** `units`: what `systemctl show` prints of each; of the others, that there is none. */
  const doctor = (units: Readonly<Record<string, string>>, journal = ''): { status: number | null } & Printed => {
    const cases = Object.entries(units).map(([name, said]) => `${name}) printf '${said}';;`);
    const programs = {
      // One block for each that is asked for, as systemctl prints them.
      systemctl: `for name in "$@"; do case $name in ${cases.join(' ')} *.service) echo LoadState=not-found;; *) continue;; esac; echo; done`,
      journalctl: journal,
    };
    for (const [name, text] of Object.entries(programs)) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(folder, name), 0o755);
    }
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
    const { status, stdout } = spawnSync(process.execPath, ['src/main.ts', 'doctor', '--json'], {
      encoding: 'utf8',
      env,
    });
    return { status, ...(JSON.parse(stdout) as Printed) };
  };
  const is = (state: string, restarts: number): string =>
    `LoadState=loaded\\nActiveState=${state}\\nUnitFileState=enabled\\nNRestarts=${restarts}\\nInvocationID=ab12\\n`;
  const isConfigured = existsSync(defaultConfigPath);
  if (isConfigured) console.warn(`skipped: ${defaultConfigPath} is there`);

  test.skipIf(isConfigured)("a clinic's PC is no terminal without a configuration", () => {
    const well = doctor({ 'uketsuke-agent.service': is('active', 0) });
    const newer = doctor({ 'uketsuke-agent.service': `${is('active', 0)}StatusText=storage.newer\\n` });
    expect(newer.diagnoses[0]).toMatchObject({ check: 'agent', fault: 'storage.newer' });
    expect(well.status).toBe(0);
    expect(well.diagnoses.map(({ check }) => check).toSorted()).toEqual([
      'agent',
      'broker',
      'owners',
      'program',
      'setAside',
    ]);
    // Its words in this start; and those before it, where it has said nothing yet.
    const words = `case "$*" in *_SYSTEMD_INVOCATION_ID=ab12*) echo "$NEW";; *) echo 'Error: of yesterday';; esac`;
    for (const [said, word] of [
      ['Error: of today', 'Error: of today'],
      ['Started.', 'Error: of yesterday'],
    ]) {
      const ill = doctor({ 'uketsuke-agent.service': is('activating', 3) }, `NEW='${said}'\n${words}`);
      expect(ill.status).toBe(1);
      expect(ill.diagnoses[0]).toMatchObject({ check: 'agent', fault: 'agent.cannot-start', detail: word });
    }
  });

  test.skipIf(isConfigured)('a terminal without a configuration, alone or with the agent, says so', () => {
    for (const units of [
      { 'uketsuke.service': is('inactive', 0) },
      { 'uketsuke.service': is('inactive', 0), 'uketsuke-agent.service': is('active', 0) },
    ]) {
      const told = doctor(units);
      expect(told.status).toBe(1);
      expect(told.diagnoses.map(({ check }) => check)).toEqual(expect.arrayContaining(['config', 'reader', 'screen']));
      expect(told.diagnoses[0]).toMatchObject({ fault: 'config.missing' });
    }
  });
});

test('the age of a boot loader is looked at where it chooses between two slots, and nowhere else', () => {
  const built = Buffer.alloc(4);
  built.writeUInt32BE(Date.UTC(2021, 3, 29) / 1_000);
  writeFileSync(join(folder, 'build-timestamp'), built);
  const rauc = join(folder, 'system.conf');
  expect(slotLoaderBuiltMs(rauc, folder)).toBeNull();
  writeFileSync(rauc, '[system]\ncompatible=uketsuke-terminal-arm64\n');
  expect(slotLoaderBuiltMs(rauc, folder)).toBe(Date.UTC(2021, 3, 29));
});

test.skipIf(process.platform === 'win32')(
  'a name is asked for in a process that is ended: the doctor itself could not end before a silent server answers',
  async () => {
    const getent = (script: string): void =>
      writeFileSync(join(folder, 'getent'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const enoughMs = 60_000;
    vi.stubEnv('PATH', `${folder}:${process.env.PATH}`);
    try {
      getent('exec sleep 54321');
      expect(await addressOf('broker.clinic.test', 50)).toBe('silent');
      getent('exit 2');
      expect(await addressOf('broker.clinic.test', enoughMs)).toBe('unknown');
      getent("printf '192.0.2.7 STREAM broker\\n192.0.2.7 DGRAM\\n'");
      expect(await addressOf('broker.clinic.test', enoughMs)).toEqual({ value: '192.0.2.7' });
      expect(await addressOf('192.0.2.9')).toEqual({ value: '192.0.2.9' });
    } finally {
      vi.unstubAllEnvs();
    }
  },
);

test('name servers are told by their addresses alone', () => {
  const listed = ['192.0.2.1', '192.0.2.2:5353', '[2001:db8::1]:5353', 'fe80::1%eth0'];
  expect(nameServersHere(listed)).toEqual(['192.0.2.1', '192.0.2.2', '2001:db8::1', 'fe80::1']);
});

test('whoever is neither root nor the terminal is told to be, where a terminal is installed', () => {
  expect(seesTooLittle(1_000, 999)).toBe(true);
  for (const [uid, terminalUid] of [
    [0, 999],
    [999, 999],
    [1_000, null],
    [undefined, null],
  ] as const)
    expect(seesTooLittle(uid, terminalUid)).toBe(false);
});
