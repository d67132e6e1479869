import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/*
 * A process whose whole disk cannot be written but one folder: whatever it and its children leave behind (a temporary file, a
 * core dump, somebody's cache) stands there, or was refused. Linux, root.
 */

/** $0: the folder; then the command. Its own numbers of processes, so that all of them end with the first. */
const closeDisk = `
set -e
mkdir -p /run/pcscd
mount --make-rprivate /
mount --bind "$0" "$0"
mount --bind "$0/shm" /dev/shm
while read -r _ at kind options _; do
  case $kind in ext4|ext3|xfs|btrfs|overlay|tmpfs|devtmpfs|fuse*) ;; *) continue ;; esac
  case "$at" in "$0"|/dev/shm|/dev) continue ;; esac
  case ",$options," in *,rw,*) mount -o remount,bind,ro "$at" ;; esac
done < /proc/self/mounts
for each in / /tmp /var/tmp /var/log /run /root; do
  if [ -d "$each" ] && [ -w "$each" ]; then echo "leaks: $each can still be written" >&2; exit 3; fi
done
cd "$0"
exec "$@"`;

/** Runs a program of this trial in such a process, with a line of JSON for each line of its output. Throws when it does not end well. */
export const onOwnMachine = async (
  program: string,
  argument: string,
  onLine: (line: string) => void,
): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-machine-'));
  // The broker runs as another user.
  chmodSync(folder, 0o755);
  for (const name of ['shm', 'home', 'tmp']) mkdirSync(join(folder, name), { mode: 0o755 });
  const child = spawn(
    'unshare',
    [
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      'bash',
      '-c',
      closeDisk,
      folder,
      process.execPath,
      program,
      argument,
      folder,
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        TMPDIR: join(folder, 'tmp'),
        HOME: join(folder, 'home'),
        XDG_CACHE_HOME: join(folder, 'home'),
        XDG_CONFIG_HOME: join(folder, 'home'),
        XDG_DATA_HOME: join(folder, 'home'),
        XDG_RUNTIME_DIR: join(folder, 'tmp'),
      },
    },
  );
  createInterface({ input: child.stdout }).on('line', onLine);
  const [code] = (await once(child, 'close')) as [number | null];
  rmSync(folder, { recursive: true, force: true });
  if (code !== 0) throw new Error(`real visits ended with ${code}`);
};
