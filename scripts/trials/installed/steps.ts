import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Step } from './root.ts';

const folder = '/trial';
const steps: Step[] = [];
export const figures: Record<string, number> = {};

/** A step that throws is wrong, and the next one is tried all the same: one run shows everything there is to mend. */
export const step = async (name: string, work: () => Promise<void> | void): Promise<boolean> => {
  const began = performance.now();
  let detail: string | undefined;
  try {
    await work();
  } catch (error) {
    detail = (error as Error).message.slice(0, 2_000);
  }
  const made = { name, ok: detail === undefined, ms: Math.round(performance.now() - began), ...(detail && { detail }) };
  steps.push(made);
  writeFileSync(`${folder}/steps.json`, JSON.stringify({ steps, figures }));
  return made.ok;
};

/** A shell command as a person types it, without `sudo`; answers its standard output. Throws with what it said. */
export const sh = (command: string, seconds: number = 120): string => {
  const done = spawnSync('sh', ['-c', command], {
    encoding: 'utf8',
    timeout: seconds * 1_000,
    env: { PATH: process.env.PATH, HOME: '/root', LANG: 'C.UTF-8' },
    cwd: '/root',
  });
  appendFileSync(`${folder}/commands.log`, `$ ${command}\n${done.stdout}${done.stderr}→ ${done.status}\n`);
  if (done.status !== 0)
    throw new Error(`${command}: ${done.status ?? done.signal}: ${(done.stderr || done.stdout).slice(-800)}`);
  return done.stdout.trim();
};

/** Looks until `what` holds. Throws with `about` after `seconds`. */
export const until = async (about: string, seconds: number, what: () => boolean | Promise<boolean>): Promise<void> => {
  const end = performance.now() + seconds * 1_000;
  while (performance.now() < end) {
    if (await what()) return;
    await pause(100);
  }
  throw new Error(`${about}: not within ${seconds} s`);
};

const property = (unit: string, name: string): string =>
  spawnSync('systemctl', ['show', '-p', name, '--value', unit], { encoding: 'utf8' }).stdout.trim();
export const isActive = (unit: string): boolean => property(unit, 'ActiveState') === 'active';
export const mainPid = (unit: string): number => Number(property(unit, 'MainPID'));

/** ms from `harm` until another process of the unit is active. */
export const recovered = async (unit: string, seconds: number, harm: (pid: number) => void): Promise<number> => {
  const before = mainPid(unit);
  const began = performance.now();
  harm(before);
  await until(`${unit} is back`, seconds, () => isActive(unit) && mainPid(unit) !== before && mainPid(unit) !== 0);
  return Math.round(performance.now() - began);
};

/** Eight letters as `provision clinic` tells them. */
export const lettersIn = (told: string): string => /: ([A-Z2-9]{4}-[A-Z2-9]{4})/.exec(told)?.[1] ?? 'none';

/** A network of this machine alone in which terminal and clinic find each other. */
export const network = (): void => {
  sh('ip link add clinic0 type veth peer name clinic1');
  sh('ip address add 192.0.2.10/24 broadcast + dev clinic0 && ip link set clinic1 up && ip link set clinic0 up');
  sh('ip route add default dev clinic0');
};

export { pause, spawn };
