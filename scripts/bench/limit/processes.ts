/** What a process takes of the machine, as Linux counts it. */
import { readdirSync, readFileSync } from 'node:fs';

const clockTicksPerSecond = 100;

const rolledUpMb = (pid: number, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) / 1024;

/** Proportional set size of a process: what it takes, a shared page counted in part. MB */
export const pssMb = (pid: number): number => rolledUpMb(pid, 'Pss');

/**
 * What a process has made itself. Of its programs' own pages a process has the more the fewer others run the same program:
 * they grow as somebody else ends. MB
 */
export const ownMb = (pid: number): number => rolledUpMb(pid, 'Pss_Anon') + rolledUpMb(pid, 'Pss_Shmem');

/** Processor time since its start. ms */
const cpuMs = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / clockTicksPerSecond;
};

/** The process and all that it has started. */
export const familyOf = (pid: number): readonly number[] => {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /, '');
      parents.set(Number(name), Number(stat.split(' ')[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const family = [pid];
  for (const each of family) for (const [child, parent] of parents) if (parent === each) family.push(child);
  return family;
};

/** Processor time of a process and of all that it has started. ms */
export const familyCpuMs = (pid: number): number =>
  familyOf(pid).reduce((sum, each) => {
    try {
      return sum + cpuMs(each);
    } catch {
      return sum;
    }
  }, 0);

/** Percent of one processor that each of these takes, with what it has started, while nobody asks anything of it. */
export const idleCpuPercent = async (
  pids: Readonly<Record<string, number>>,
  overMs: number,
): Promise<Readonly<Record<string, number>>> => {
  const entries = Object.entries(pids);
  const before = entries.map(([, pid]) => familyCpuMs(pid));
  const beganMs = performance.now();
  await new Promise((resolve) => setTimeout(resolve, overMs));
  const tookMs = performance.now() - beganMs;
  return Object.fromEntries(
    entries.map(([name, pid], index) => [
      name,
      Math.round(((familyCpuMs(pid) - (before[index] ?? 0)) / tookMs) * 10_000) / 100,
    ]),
  );
};

/** The browser that a process has started; what it has started itself belongs to its family. @throws Error without one */
export const chromiumOf = (pid: number): number => {
  const found = familyOf(pid).find((each) => readFileSync(`/proc/${each}/cmdline`, 'latin1').includes('chromium'));
  if (found === undefined) throw new Error('no chromium is running');
  return found;
};
