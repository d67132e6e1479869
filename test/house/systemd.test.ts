import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { roles, runtimeScripts } from '../../scripts/package/roles.ts';
import { commands } from '../../src/main.ts';
import { mallocEnvironment, nodeFlags } from '../../src/processes/face-start.ts';
import { defaultConfigPath, loadConfig } from '../../src/processes/terminal-config.ts';

/** The example as somebody fills it in. */
const filledExample = () =>
  loadConfig(
    readFileSync('systemd/uketsuke.example.yaml', 'utf8')
      .replace('<facility>', 'clinic-0001')
      .replace('<device>', 'terminal-01')
      .replace('<host>', '192.0.2.10'),
  );

const units = readdirSync('systemd').filter((name) => name.endsWith('.service'));
const sockets = readdirSync('systemd').filter((name) => name.endsWith('.socket'));
const read = (name: string): string => readFileSync(join('systemd', name), 'utf8').replaceAll('\\\n', '');
const settings = (name: string, key: string): string[] =>
  read(name)
    .split('\n')
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1));

/** Why no unit can be judged here; null = one can. */
const analyzeMissing = (): string | null => {
  if (spawnSync('systemd-analyze', ['--version']).status !== 0) return 'systemd-analyze (Debian package systemd)';
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-unit-'));
  writeFileSync(join(folder, 'plain.service'), '[Service]\nExecStart=/bin/true\n');
  const { stderr } = spawnSync('systemd-analyze', ['verify', join(folder, 'plain.service')], { encoding: 'utf8' });
  // Where systemd never ran, an ordinary user may not make it: in a chroot, in a container.
  return /\/run\/systemd/.test(stderr) ? `a directory /run/systemd, or root (${stderr.trim()})` : null;
};
const missing = analyzeMissing();
if (missing !== null) console.warn(`skipped: judging the units needs ${missing}`);

describe.skipIf(missing !== null)('systemd', () => {
  test.each([...units, ...sockets])('understands every line of %s', (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'uketsuke-unit-'));
    for (const each of [...units, ...sockets]) {
      // The programs are not installed here; everything else stands as it will.
      const text = readFileSync(join('systemd', each), 'utf8').replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true');
      writeFileSync(join(folder, each), text);
    }
    const copy = join(folder, name);
    const verify = spawnSync('systemd-analyze', ['verify', copy], { encoding: 'utf8' });
    expect({ status: verify.status, stderr: verify.stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('tells a misspelt line: the test above can fail', () => {
    const copy = join(mkdtempSync(join(tmpdir(), 'uketsuke-unit-')), 'wrong.service');
    writeFileSync(copy, '[Service]\nExecStart=/bin/true\nProtectSytem=strict\n');
    expect(spawnSync('systemd-analyze', ['verify', copy], { encoding: 'utf8' }).stderr).toMatch(/ProtectSytem/);
  });

  // In tenths, as systemd-analyze wants it. The browser needs its own sandbox, which takes what the others forbid.
  test.each([
    ['uketsuke.service', 8],
    ['uketsuke-link.service', 16],
    ['uketsuke-face.service', 8],
    ['uketsuke-agent.service', 16],
    ['uketsuke-kiosk.service', 46],
  ])('finds %s exposed to no more than %i tenths', (name, tenths) => {
    const args = ['security', '--offline=yes', `--threshold=${tenths}`, join('systemd', name)];
    const judged = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    expect(judged.status, judged.stdout.split('\n').slice(-3).join('\n')).toBe(0);
  });
});

describe('a unit', () => {
  const ours = ['uketsuke.service', 'uketsuke-link.service', 'uketsuke-face.service', 'uketsuke-agent.service'];
  test.each(ours)('%s runs a command that exists', (name) => {
    const [, main, command] = (settings(name, 'ExecStart')[0]?.split(' ') ?? []).filter(
      (word) => !word.startsWith('--'),
    );
    expect(main?.replace('/usr/lib/uketsuke/', '')).toSatisfy(existsSync);
    expect(Object.keys(commands)).toContain(command);
  });

  test('starts from what root compiled when the package was configured, for its user, and what purge takes away', () => {
    const { postinst = '', postrm = '' } = runtimeScripts;
    const [, kept = ''] = /NODE_COMPILE_CACHE=(\S+)/.exec(postinst) ?? [];
    const [, users = ''] = /for user in (.*);/.exec(postinst) ?? [];
    const [, started = ''] = /for command in (.*);/.exec(postinst) ?? [];
    for (const name of ours) {
      expect(settings(name, 'Environment')).toContain(`NODE_COMPILE_CACHE=${kept}`);
      expect(users.split(' ')).toContain(settings(name, 'User')[0]);
      expect(started.split(' ')).toContain(
        settings(name, 'ExecStart')[0]
          ?.split(' ')
          .filter((word) => !word.startsWith('--'))[2],
      );
      // No unit may write what it will run at its next start.
      expect(settings(name, 'ProtectSystem')).toEqual(['strict']);
      for (const key of ['ReadWritePaths', 'CacheDirectory', 'BindPaths'])
        expect(settings(name, key).join(' ')).not.toMatch(/cache/);
    }
    expect(kept).toMatch(/^\/var\/cache\/uketsuke\//);
    expect(postrm).toContain('rm -rf /var/cache/uketsuke;');
  });

  test('of the terminal reads the default configuration and is watched; the watchdog never hangs on the network', () => {
    for (const name of ['uketsuke.service', 'uketsuke-link.service', 'uketsuke-face.service']) {
      expect(settings(name, 'ExecStart')[0]).toContain(`--config ${defaultConfigPath}`);
      expect(settings(name, 'WatchdogSec')).toEqual(['30']);
      expect(settings(name, 'NotifyAccess')).toEqual(['all']);
      expect(read(name)).not.toMatch(/network-online/);
    }
  });

  test('of terminal or face process has no network: no address family but sockets of this machine, in a namespace', () => {
    for (const name of ['uketsuke.service', 'uketsuke-face.service']) {
      expect(settings(name, 'RestrictAddressFamilies')).toEqual(['AF_UNIX']);
      expect(settings(name, 'PrivateNetwork')).toEqual(['yes']);
    }
    expect(settings('uketsuke-link.service', 'IPAddressDeny')).toEqual(['any']);
    expect(settings('uketsuke-link.service', 'IPAddressAllow')).toEqual([]);
  });

  test('of terminal and screen stands in the namespace of the page’s socket', () => {
    for (const name of ['uketsuke.service', 'uketsuke-kiosk.service']) {
      expect(settings(name, 'JoinsNamespaceOf')).toEqual(['uketsuke-screen.socket']);
      expect(settings(name, 'PrivateNetwork')).toEqual(['yes']);
    }
    expect(settings('uketsuke-screen.socket', 'PrivateNetwork')).toEqual(['yes']);
  });

  test.each([
    ['terminal', 'uketsuke.service'],
    ['link', 'uketsuke-link.service'],
    ['face', 'uketsuke-face.service'],
    ['agent', 'uketsuke-agent.service'],
  ] as const)(
    'of the %s process starts node as the tests and figures do, and each one of ours malloc',
    (name, unit) => {
      const [command = ''] = settings(unit, 'ExecStart');
      expect(command).toContain(`/node ${nodeFlags[name].join(' ')} /`);
      const malloc = Object.entries(mallocEnvironment).map(([key, value]) => `${key}=${value}`);
      for (const each of ours) expect(settings(each, 'Environment'), each).toEqual(expect.arrayContaining(malloc));
    },
  );

  test('with a socket names the one of the configuration, which the terminal alone may open', () => {
    const config = filledExample();
    if (!config.ok) throw new Error('the example is not accepted');
    const { link, face, screen } = config.value;
    expect(settings('uketsuke-link.socket', 'ListenStream')).toEqual([link.socket]);
    expect(settings('uketsuke-face.socket', 'ListenStream')).toEqual([face.socket]);
    expect(settings('uketsuke-screen.socket', 'ListenStream')).toEqual([`127.0.0.1:${screen.port}`]);
    for (const name of ['uketsuke-link.socket', 'uketsuke-face.socket']) {
      expect(settings(name, 'SocketUser')).toEqual(['uketsuke']);
      expect(settings(name, 'SocketMode')).toEqual(['0600']);
    }
  });

  test.each(units)('%s leaves no memory on a disk and never gives up', (name) => {
    expect(settings(name, 'LimitCORE')).toEqual(['0']);
    expect(settings(name, 'MemorySwapMax')).toEqual(['0']);
    expect(settings(name, 'Restart')).toEqual(['always']);
    expect(settings(name, 'StartLimitIntervalSec')).toEqual(['0']);
  });

  test.each(units)('%s does not take away what Node needs', (name) => {
    expect(settings(name, 'ProcSubset')).toEqual([]);
    expect(settings(name, 'MemoryDenyWriteExecute')).toEqual([]);
  });

  test('of the screen reaches this machine alone, at the port of the configuration', () => {
    expect(settings('uketsuke-kiosk.service', 'IPAddressAllow')).toEqual(['localhost']);
    expect(settings('uketsuke-kiosk.service', 'IPAddressDeny')).toEqual(['any']);
    const config = filledExample();
    if (!config.ok) throw new Error('the example is not accepted');
    expect(settings('uketsuke-kiosk.service', 'ExecStart')[0]).toMatch(
      / --app=file:\/\/\/usr\/lib\/uketsuke\/dist\/screens\/waiting\.html\?ready=\$\{UKETSUKE_READY_AT\} /,
    );
    // Which port it asks, where nothing else is said
    expect(readFileSync('src/screens/waiting.html', 'utf8')).toContain(`: ${config.value.screen.port}}/`);
  });

  test('of the screen begins and goes on with pages that the browser may show, and is packed with what lets it show them', () => {
    const policy = JSON.parse(readFileSync('systemd/chromium/uketsuke.json', 'utf8'));
    const [, first = ''] = /--app=(\S+)/.exec(settings('uketsuke-kiosk.service', 'ExecStart')[0] ?? '') ?? [];
    const [, next = ''] = /(http:\/\/[\d.]+):/.exec(readFileSync('src/screens/waiting.html', 'utf8')) ?? [];
    expect(policy.URLBlocklist).toEqual(['*']);
    expect(policy.URLAllowlist).toEqual([next, `${dirname(first)}/`]);
    const kiosk = roles.find(({ name }) => name === 'uketsuke-kiosk');
    expect(Object.keys(kiosk?.files ?? {})).toContain('systemd/chromium/uketsuke.json');
    // Without Xwayland the cage of Debian 12 ends at once.
    expect(kiosk?.depends).toContain('xwayland');
  });

  test('may open only kinds of devices that the kernel knows before it starts, so that what is plugged in later is not closed to it', () => {
    const moduleOf: Readonly<Record<string, string>> = {
      'char-video4linux': 'videodev',
      'char-hidraw': 'hid',
      'char-ttyACM': 'cdc-acm',
      'char-ttyUSB': 'usbserial',
      'char-alsa': 'snd',
      'char-drm': 'drm',
    };
    // A part of every kernel.
    const builtIn = ['char-input', 'char-tty'];
    const loaded = readFileSync('systemd/modules-load/uketsuke.conf', 'utf8').split('\n');
    const kinds = units.flatMap((name) => settings(name, 'DeviceAllow')).map((line) => line.split(' ')[0] ?? '');
    expect(kinds.length).toBeGreaterThan(5);
    for (const kind of kinds.filter((each) => !builtIn.includes(each))) expect(loaded).toContain(moduleOf[kind]);
    const terminal = roles.find(({ name }) => name === 'uketsuke-terminal');
    expect(Object.keys(terminal?.files ?? {})).toContain('systemd/modules-load/uketsuke.conf');
  });

  test('of the screen lets the voice speak before anybody has touched it, and keeps its page small', () => {
    const command = settings('uketsuke-kiosk.service', 'ExecStart')[0];
    expect(command).toContain('--autoplay-policy=no-user-gesture-required');
    expect(command).toContain('--js-flags=--max-semi-space-size=');
  });

  test('has a user of its own, which sysusers makes', () => {
    const made = readFileSync('systemd/sysusers/uketsuke.conf', 'utf8');
    const users = units.flatMap((name) => settings(name, 'User'));
    expect(new Set(users).size).toBe(units.length);
    for (const user of users) expect(made).toMatch(new RegExp(`^u ${user} `, 'm'));
  });
});

describe('the udev rules', () => {
  const rules = readFileSync('systemd/udev/70-uketsuke.rules', 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

  // udevadm learned `verify` after Debian 12.
  test.each(rules)('%s is a rule by udev(7)', (rule) => {
    for (const term of rule.split(', '))
      expect(term).toMatch(
        /^(ACTION|SUBSYSTEM|KERNEL|ENV\{\w+\}|ATTRS?\{[\w/]+\}|TEST|SYMLINK|GROUP|MODE)(==|!=|=|\+=)"[^"]*"$/,
      );
    expect(rule).toMatch(/[^=!]=(?!=)"|\+="/);
  });

  test('make the links that the configuration names by default', () => {
    const config = filledExample();
    if (!config.ok) throw new Error('the example is not accepted');
    const { camera, keypad, statusLight } = config.value;
    for (const { device } of [camera, keypad, statusLight])
      expect(rules.join('\n')).toContain(`SYMLINK+="${device.replace('/dev/', '')}"`);
  });
});

test('every unit of a terminal that can be enabled is: by its package, or when the terminal is set up', () => {
  const enabling = `${readFileSync('src/cli/provision-terminal.ts', 'utf8')}${roles.flatMap(({ configure }) => configure).join()}`;
  const files = roles.slice(0, 2).flatMap((role) => Object.keys(role.files));
  const installed = files.filter((file) => /\.(service|socket)$/.test(file));
  const left = installed.filter(
    (file) => /^\[Install\]/m.test(readFileSync(file, 'utf8')) && !enabling.includes(basename(file)),
  );
  expect(installed.length).toBeGreaterThan(6);
  expect(left).toEqual([]);
});

test('every file that a package lays for the system has its line in systemd/README.md: who installs from a tree goes by it', () => {
  const table = read('README.md');
  const laid = roles.flatMap(({ files }) => Object.entries(files)).filter(([, to]) => !to.includes('/share/doc/'));
  const unnamed = laid.filter(([from]) => {
    const name = from.replace('systemd/', '');
    const shortened = name.replace(/^.*\.socket$/, '.socket').replace(/-reload\.(path|service)$/, '-reload.*');
    return from.startsWith('systemd/') && ![name, shortened].some((each) => table.includes(`\`${each}\``));
  });
  expect(laid.length).toBeGreaterThan(10);
  expect(unnamed.map(([from]) => from)).toEqual([]);
});
