import { existsSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

/**
 * The 資格確認端末 is a Windows PC. `scripts/test-windows` runs the agent under Wine, when somebody calls it; this is held on
 * every day: every module that the agent, its service, and its backup and restore load, and in it nothing that only POSIX has.
 */
const root = new URL('../../', import.meta.url).pathname;
const importPattern = /(?<![.\w])(?:from|import)\s*\(?\s*'([^']+)'/g;

const reach = (entry: string) => {
  const modules = new Map<string, string>();
  const packages = new Set<string>();
  const visit = (path: string): void => {
    if (modules.has(path)) return;
    const text = readFileSync(path, 'utf8');
    modules.set(path, text);
    for (const line of text.split(/;\n|\n\n/)) {
      if (/^\s*(import|export) type\b/.test(line)) continue;
      for (const [, target = ''] of line.matchAll(importPattern)) {
        if (target.startsWith('node:')) continue;
        if (target.startsWith('.')) visit(resolve(dirname(path), target));
        else
          packages.add(target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : (target.split('/')[0] ?? ''));
      }
    }
  };
  visit(resolve(root, entry));
  return { modules, packages };
};

const agent = reach('src/cli/agent.ts');
const service = reach('src/cli/windows-service.ts');
const move = reach('src/cli/move-windows.ts');
const modules = new Map([...agent.modules, ...service.modules, ...move.modules]);
const packages = new Set([...agent.packages, ...service.packages, ...move.packages]);

/** Modules that hold such a thing behind a branch: what keeps Windows from it must stand in them. */
const branched: Readonly<Record<string, string>> = {
  'src/agent/oqs-folder/shared-folder.ts': "process.platform === 'linux' ? heldFolders : comparedFolders",
  // No folder there holds a pipe that lets whoever opens it wait.
  'src/agent/rollout/open-rollout.ts': 'constants.O_NONBLOCK ?? 0',
  // There is no such file there; what the file system says of itself is asked by a write.
  'src/agent/disk-watch.ts': "if (process.platform !== 'linux') return [];",
  // Which start of the machine this is: by its clock.
  'src/storage/known-whole.ts': "if (process.platform !== 'linux') return began;",
  // The directory's owner, where root writes for another user.
  'src/storage/rename-durably.ts': 'if (process.getuid?.() === 0) {',
  'drivers/host/systemd-notifier.ts': 'if (socket === undefined) return;',
  // There nothing is known of the cable; the broker's port is tried all the same.
  'drivers/host/way-evidence.ts': "process.platform === 'linux' ? readFile",
  // Programs that Windows has: its own word about the clock, and this one once more, by its own path.
  'drivers/host/run-program.ts': 'spawn(',
  'drivers/host/keep-watch.ts': 'spawn(process.execPath,',
  // There a process that waits for a name ends by itself.
  'src/cli/end-process.ts': "if (process.platform !== 'win32' && ",
};
const isBranched = (path: string): boolean => {
  const guard = branched[path.replaceAll('\\', '/')];
  return guard !== undefined && modules.get(resolve(root, path))?.includes(guard) === true;
};

/** What breaks on Windows, or quietly does nothing there. */
const posixOnly: readonly (readonly [string, RegExp])[] = [
  ['a place in the POSIX tree', /['"`]\/(boot|dev|etc|home|mnt|opt|proc|run|srv|sys|tmp|usr|var)\b/],
  ['a user id asked for without a branch', /process\.(getuid|getgid|geteuid|setuid|setgid)\(/],
  ['a signal to a process (there it is a kill)', /process\.kill\(/],
  // Asking the system about its clock goes by run-program.ts, which needs nothing of POSIX.
  ['a child process of its own', /from 'node:child_process'/],
  ['a Unix socket', /\.sock\b/],
  ['a flag of open() that is silently 0 there', /\bO_(NOFOLLOW|NONBLOCK|DIRECTORY|NOCTTY|SYNC|DSYNC)\b/],
  ['a signal that never comes there', /['"`]SIG(HUP|USR1|USR2|PIPE|ALRM|CHLD|CONT|STOP|TSTP)['"`]/],
  ['rights or owners of files that are not kept there', /\b(f|l)?chown(Sync)?\(|process\.umask\(/],
  ['who the user is, by number', /\buserInfo\(\)\.(uid|gid)/],
  ["a URL's pathname taken for a file's path (/C:/…)", /new URL\([^)]*import\.meta\.url\)\.pathname/],
  ['a symbolic or hard link (needs a right there)', /\b(sym)?link(Sync)?\(/],
];

describe('what the agent loads', () => {
  test('is found: its own modules, and no others by mistake', () => {
    const names = [...modules.keys()].map((path) => relative(root, path));
    expect(names.length).toBeGreaterThan(60);
    expect(names).toContain('src/agent/journal/journal.ts');
    expect(names).toContain('src/cli/folder-archive.ts');
    // By their commands, which are in the folder that is installed.
    expect([...reach('src/cli/provision.ts').modules.keys()]).toContain(resolve(root, 'src/cli/move-windows.ts'));
    const foreign = names.filter((name) => /virtual|pcsc|onnx|ffmpeg|kiosk|systemd|hid-|serial-/.test(name));
    expect(foreign.filter((name) => !isBranched(name))).toEqual([]);
  });

  test('brings no package with code compiled for one system', () => {
    expect(packages).toContain('mqtt');
    for (const name of packages) {
      const folder = resolve(root, 'node_modules', name);
      const described = JSON.parse(readFileSync(resolve(folder, 'package.json'), 'utf8')) as {
        scripts?: Record<string, string>;
        os?: string[];
      };
      expect([name, existsSync(resolve(folder, 'binding.gyp')), described.os]).toEqual([name, false, undefined]);
      expect(described.scripts?.install).toBeUndefined();
    }
  });

  test.each(posixOnly)('has nowhere: %s', (_what, pattern) => {
    const found = [...modules].flatMap(([path, text]) => (pattern.test(text) ? [relative(root, path)] : []));
    expect(found.filter((path) => !isBranched(path))).toEqual([]);
  });

  test('the same look finds such things where they are: the terminal is a Linux device', () => {
    const terminal = [...reach('src/cli/run.ts').modules.values()].join('\n');
    for (const pattern of [/process\.kill\(/, /from 'node:child_process'/]) expect(pattern.test(terminal)).toBe(true);
  });
});
