import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endChild } from './end-child.ts';

/*
 * A Debian 13 with Wine (made by scripts/test-windows), entered by programs of Windows. It has its own mounts and shares
 * the loopback interface: what listens under Wine is reached from here. Needs root.
 */

const prefix = '/srv/wine';
const firstStartMs = 240_000;

export type WindowsProgram = {
  readonly process: ChildProcess;
  /** Everything it has said, standard output and error together */
  readonly said: () => string;
  readonly hasEnded: () => boolean;
  /** As a power cut for the program: it writes nothing more. */
  kill(): Promise<void>;
};

export class WineRoom {
  readonly #root: string;
  readonly #holder: ChildProcess;
  readonly #directory: string;
  #programs = 0;

  constructor(root: string, holder: ChildProcess, directory: string) {
    this.#root = root;
    this.#holder = holder;
    this.#directory = directory;
  }

  /** `directory`: where programs' words are kept. */
  static async open(
    root: string,
    directory: string,
    { ownNetwork = false }: { readonly ownNetwork?: boolean } = {},
  ): Promise<WineRoom> {
    const mounts =
      '[ "$2" = false ] || ip link set lo up; mount --bind "$1" "$1"; mount --rbind /dev "$1/dev"; mount -t proc proc "$1/proc"; echo ready; exec sleep infinity';
    const holder = spawn(
      'unshare',
      [
        ...['--mount', '--propagation', 'private', ...(ownNetwork ? ['--net'] : [])],
        ...['sh', '-ec', mounts, 'sh', root, String(ownNetwork)],
      ],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    process.once('exit', () => holder.kill('SIGKILL'));
    await once(holder.stdout as NonNullable<typeof holder.stdout>, 'data');
    const room = new WineRoom(root, holder, directory);
    room.#wait(['wineserver', '-k'], 20_000, true);
    if (!existsSync(join(root, prefix, 'system.reg'))) room.#wait(['wineboot', '-i'], firstStartMs, false);
    return room;
  }

  #command(words: readonly string[]): readonly [string, readonly string[]] {
    const environment = [
      ...[
        'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
        'HOME=/root',
        `WINEPREFIX=${prefix}`,
        'WINEDEBUG=-all',
        'WINEARCH=win64',
      ],
      ...['LANG=C.UTF-8', 'XDG_RUNTIME_DIR=/run'],
    ];
    return [
      'nsenter',
      ['-t', String(this.#holder.pid), '-m', '-n', 'chroot', this.#root, 'env', '-i', ...environment, ...words],
    ];
  }

  #wait(words: readonly string[], limitMs: number, mayFail: boolean): string {
    const [program, args] = this.#command(words);
    try {
      return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: limitMs });
    } catch (error) {
      if (mayFail) return '';
      throw error;
    }
  }

  /** A program of Debian in the room; its output. */
  debian(...words: readonly string[]): string {
    return this.#wait(words, 60_000, false);
  }

  /** Of a process in the room's namespaces */
  get processId(): number | undefined {
    return this.#holder.pid;
  }

  get version(): string {
    return /wine-(\d+\.\d+)/.exec(this.debian('wine', '--version'))?.[1] ?? 'unknown';
  }

  /** Where a file of drive C lies for us, with what is mounted in the room alone. */
  path(windowsPath: string): string {
    return join(
      `/proc/${this.#holder.pid}/root`,
      this.#root,
      prefix,
      'drive_c',
      windowsPath.replace(/^C:\\/, '').replaceAll('\\', '/'),
    );
  }

  /** A disk of so many bytes in the place of a folder; what is taken away again with `unmount`. */
  mount(windowsPath: string, bytes: number): void {
    const at = join(this.#root, prefix, 'drive_c', windowsPath.replace(/^C:\\/, '').replaceAll('\\', '/'));
    execFileSync('nsenter', [
      '-t',
      String(this.#holder.pid),
      '-m',
      'mount',
      '-t',
      'tmpfs',
      '-o',
      `size=${bytes}`,
      'small',
      at,
    ]);
  }

  unmount(windowsPath: string): void {
    const at = join(this.#root, prefix, 'drive_c', windowsPath.replace(/^C:\\/, '').replaceAll('\\', '/'));
    execFileSync('nsenter', ['-t', String(this.#holder.pid), '-m', 'umount', at]);
  }

  /** Node refuses a pipe of Wine as its output: what a program says goes to a file. */
  start(words: readonly string[]): WindowsProgram {
    this.#programs += 1;
    const file = join(this.#directory, `said-${this.#programs}.txt`);
    const out = openSync(file, 'a');
    const [program, args] = this.#command(['wine', ...words]);
    const child = spawn(program, args, { stdio: ['ignore', out, out] });
    closeSync(out);
    const killed = (): boolean => child.kill('SIGKILL');
    process.once('exit', killed);
    child.once('exit', () => process.removeListener('exit', killed));
    const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
    return {
      process: child,
      said: () => readFileSync(file, 'utf8'),
      hasEnded,
      kill: () => endChild(child, 'SIGKILL'),
    };
  }

  /** Runs to its end; what it said. Throws with that when it fails or lasts too long. */
  async run(words: readonly string[], limitMs = 120_000): Promise<string> {
    const program = this.start(words);
    const timer = setTimeout(() => program.process.kill('SIGKILL'), limitMs);
    const [code] = program.hasEnded()
      ? [program.process.exitCode]
      : ((await once(program.process, 'exit')) as [number | null]);
    clearTimeout(timer);
    if (code !== 0) throw new Error(`${words.join(' ')}: ended with ${code}\n${program.said()}`);
    return program.said();
  }

  close(): void {
    this.#wait(['wineserver', '-k'], 20_000, true);
    this.#holder.kill('SIGKILL');
  }
}
