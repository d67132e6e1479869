import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { endChild } from './end-child.ts';

/** Why no TPM of software can be had here; null = it can. */
export const softwareTpmMissing = (): string | null => {
  for (const [program, name] of [
    ['swtpm', 'swtpm'],
    ['tpm2_sign', 'tpm2-tools'],
  ] as const)
    if (spawnSync(program, ['--version']).error !== undefined) return `${program} is missing (Debian package ${name})`;
  return null;
};

/** A TPM 2.0 of software (swtpm), as a process of its own; each has its own seeds. */
export class SoftwareTpm {
  readonly folder = mkdtempSync(join(tmpdir(), 'uketsuke-swtpm-'));
  #child: ChildProcess | null = null;

  /** As tpm2-tools call it. */
  get name(): string {
    return `swtpm:path=${join(this.folder, 'tpm.sock')}`;
  }

  async start(): Promise<void> {
    const [state, socket] = [join(this.folder, 'state'), join(this.folder, 'tpm.sock')];
    mkdirSync(state, { recursive: true });
    const args = ['socket', '--tpm2', '--tpmstate', `dir=${state}`, '--flags', 'not-need-init,startup-clear'];
    const sockets = ['--server', `type=unixio,path=${socket}`, '--ctrl', `type=unixio,path=${socket}.ctrl`];
    this.#child = spawn('swtpm', [...args, ...sockets], { stdio: 'ignore' });
    for (let looks = 0; looks < 500 && !(existsSync(socket) && existsSync(`${socket}.ctrl`)); looks += 1)
      await delay(20);
    if (!existsSync(`${socket}.ctrl`)) throw new Error('swtpm did not start');
  }

  /** Its seeds stay; `start` brings it back. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null) return;
    await endChild(child, 'SIGKILL');
    for (const end of ['', '.ctrl']) rmSync(join(this.folder, `tpm.sock${end}`), { force: true });
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
