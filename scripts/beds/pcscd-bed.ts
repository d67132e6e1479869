import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { CardTiming } from '../../drivers/virtual/card-timing.ts';
import type { VirtualCard } from '../../drivers/virtual/virtual-card.ts';
import type { ApduMoment } from '../../drivers/virtual/virtual-card-reader.ts';
import { connectToVpcd, type VpcdConnection } from '../../drivers/virtual/vpcd-client.ts';
import { endChild } from './end-child.ts';

const vpcdPort = 35963;
const vpcdLibrary = '/usr/lib/pcsc/drivers/serial/libifdvpcd.so';

/** Why a real pcscd with a virtual reader cannot be had here; null = it can. */
export const pcscdMissing = (): string | null => {
  if (process.platform !== 'linux') return 'pcscd tests need Linux';
  if (process.getuid?.() !== 0) return 'pcscd tests need root (network and mount namespace)';
  if (!existsSync('/usr/sbin/pcscd')) return 'pcscd is not installed';
  if (!existsSync(vpcdLibrary)) return 'vsmartcard-vpcd is not installed';
  if (spawnSync('unshare', ['-n', '-m', 'true']).status !== 0) return 'no namespaces here';
  return null;
};

/** Why the native binding cannot be loaded; null = it can. */
export const pcscliteMissing = async (): Promise<string | null> => {
  try {
    await import('pcsclite' as string);
    return null;
  } catch {
    return 'pcsclite is not compiled (scripts/setup with libpcsclite-dev)';
  }
};

/**
 * A real pcscd with vpcd's reader, in a network and a mount namespace of its own: vpcd listens on every interface, and
 * two of these must not share /run/pcscd. Clients find it by PCSCLITE_CSOCK_NAME, which `start` sets for this process.
 */
export class PcscdBed {
  readonly folder = mkdtempSync(join(tmpdir(), 'uketsuke-pcscd-'));
  readonly #relayPath = join(this.folder, 'vpcd.sock');
  #pcscd: ChildProcess | null = null;
  #relay: ChildProcess | null = null;
  #connection: VpcdConnection | null = null;
  #secondRelay: ChildProcess | null = null;
  #secondConnection: VpcdConnection | null = null;

  get socketPath(): string {
    return join(this.folder, 'pcscd.comm');
  }

  /** Of the process whose network namespace vpcd lives in; for nsenter. */
  get pid(): number {
    return this.#pcscd?.pid ?? 0;
  }

  async start(): Promise<void> {
    process.env.PCSCLITE_CSOCK_NAME = this.socketPath;
    // quickack: vpcd's writes meet Nagle and delayed ACKs, 44 ms an APDU without it.
    const script = [
      'ip link set lo up',
      'for net in 127.0.0.0/8 127.0.0.1; do ip route change table local local $net dev lo proto kernel scope host src 127.0.0.1 quickack 1; done',
      'mkdir -p /run/pcscd',
      'mount --bind "$0" /run/pcscd',
      // Debian 13's asks polkit who may, and refuses everybody where there is none, root too. Debian 12's knows no such option.
      'exec pcscd --foreground $(pcscd --help | grep --only-matching -e --disable-polkit)',
    ].join('\n');
    const log = openSync(join(this.folder, 'pcscd.log'), 'a');
    this.#pcscd = spawn('unshare', ['-n', '-m', 'bash', '-c', script, this.folder], { stdio: ['ignore', log, log] });
    closeSync(log);
    await this.#until(() => existsSync(this.socketPath), 'pcscd');
    this.#relay = await this.#relayTo(vpcdPort, this.#relayPath);
    await this.#untilVpcdListens();
  }

  async #relayTo(port: number, path: string): Promise<ChildProcess> {
    rmSync(path, { force: true });
    const relay = fileURLToPath(new URL('../../drivers/host/vpcd-relay.ts', import.meta.url));
    const enter = ['-t', `${this.pid}`, '-n', process.execPath, relay, path, `${port}`];
    // It ends with its standard input, so with us.
    const child = spawn('nsenter', enter, { stdio: ['pipe', 'pipe', 'inherit'] });
    if (child.stdout === null) throw new Error('relay without output');
    await once(createInterface(child.stdout), 'line', { signal: AbortSignal.timeout(10_000) });
    return child;
  }

  /** Into the second of the reader's two slots; lies there until `pullSecond`. */
  async insertSecond(card: VirtualCard): Promise<void> {
    const path = join(this.folder, 'vpcd-2.sock');
    this.#secondRelay ??= await this.#relayTo(vpcdPort + 1, path);
    this.#secondConnection = await connectToVpcd({ to: { path }, card });
  }

  async pullSecond(): Promise<void> {
    await this.#secondConnection?.close();
    this.#secondConnection = null;
  }

  async insert(
    card: VirtualCard,
    options: { timing?: CardTiming; onApdu?: (moment: ApduMoment) => void } = {},
  ): Promise<void> {
    await this.pull();
    this.#connection = await connectToVpcd({ to: { path: this.#relayPath }, card, ...options });
  }

  /** The card loses its power where it lies, for less than pcscd needs to notice: the chip is as after a reset. */
  async interrupt(card: VirtualCard): Promise<void> {
    await this.#connection?.close();
    this.#connection = await connectToVpcd({ to: { path: this.#relayPath }, card });
  }

  /** Answers when pcscd has had time to notice: it looks at vpcd every 0.4 s, faster than a hand swaps cards. */
  async pull(): Promise<void> {
    const connection = this.#connection;
    this.#connection = null;
    if (connection === null) return;
    await connection.close();
    await delay(500);
  }

  /** kill -9 of pcscd; `start` brings a new one. */
  async kill(): Promise<void> {
    await this.pull();
    await this.pullSecond();
    for (const child of [this.#relay, this.#secondRelay, this.#pcscd]) await endChild(child, 'SIGKILL');
    this.#relay = null;
    this.#secondRelay = null;
    this.#pcscd = null;
    rmSync(this.socketPath, { force: true });
    rmSync(join(this.folder, 'pcscd.pid'), { force: true });
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    for (let attempt = 0; attempt < 500; attempt++) {
      if (condition()) return;
      await delay(20);
    }
    throw new Error(`${what} did not start`);
  }

  /** The relay's far end closes at once while vpcd does not listen yet. */
  async #untilVpcdListens(): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt++) {
      const socket = connect({ path: this.#relayPath });
      const stays = await Promise.race([
        once(socket, 'close').then(
          () => false,
          () => false,
        ),
        once(socket, 'data').then(
          () => true,
          () => false,
        ),
        delay(500, true),
      ]);
      socket.destroy();
      if (stays) return;
      await delay(20);
    }
    throw new Error('vpcd does not listen');
  }
}
