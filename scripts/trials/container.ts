import { spawnSync } from 'node:child_process';

/* Where every trial starts its containers. */

/**
 * Words for `spawn`: the command in a process namespace that ends, with all that has begun in it, when the thread that
 * started it ends, however. systemd-nspawn that is killed leaves the machine in it running.
 */
export const endingWithUs = (...command: readonly string[]): readonly [string, readonly string[]] => [
  'setpriv',
  ['--pdeathsig', 'KILL', 'unshare', '--pid', '--fork', '--kill-child', '--mount-proc', ...command],
];

/** systemd-nspawn's own words for a root: nothing outside is told of it. */
export const containerOf = (root: string): readonly string[] => [
  ...['systemd-nspawn', '--quiet', '-D', root, '--register=no', '--keep-unit'],
];

/** The same for one that boots with systemd, whose units may limit addresses as on a device. */
export const machineOf = (root: string): readonly string[] => [
  ...[...containerOf(root), '-b', '--console=pipe'],
  ...['--capability=CAP_BPF,CAP_PERFMON,CAP_NET_ADMIN', '--system-call-filter=bpf'],
];

/** Boots it with a network of its own until it switches itself off, or for `seconds`; answers what its console said. */
export const bootAlone = (root: string, seconds: number, ...more: readonly string[]): string => {
  const [program, words] = endingWithUs('timeout', String(seconds), ...machineOf(root), '--private-network', ...more);
  const { stdout, stderr } = spawnSync(program, words, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 26,
  });
  return stdout + stderr;
};
