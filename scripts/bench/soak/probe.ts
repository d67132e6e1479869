/**
 * Loaded into every process of a soak before its own program (`NODE_OPTIONS=--import`): on SIGUSR2 it writes down what keeps
 * the process busy and alive, what V8 holds, how much of it is compiled code, and the most that its compilers have held
 * outside of the heap at once (malloc keeps that); lateness counts from the first time on. With UKETSUKE_PROBE_RETAINED, a
 * folder, V8 first collects all it can, and what is left goes into a heap snapshot, the first and the newest of each process:
 * who compares them sees what every visit leaves behind.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapCodeStatistics, getHeapStatistics, setFlagsFromString, writeHeapSnapshot } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

/** Looks at the event loop so often, ms; a loop that is never late is seen as late by this. */
const resolutionMs = 5;

const folder = process.env.UKETSUKE_PROBE_FOLDER;
const snapshots = process.env.UKETSUKE_PROBE_RETAINED;

const keepSnapshot = (into: string): void => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round += 1) collect();
  const first = join(into, `${process.pid}-first.heapsnapshot`);
  writeHeapSnapshot(existsSync(first) ? join(into, `${process.pid}-newest.heapsnapshot`) : first);
  for (let round = 0; round < 3; round += 1) collect();
};

if (isMainThread && folder !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  let counts = false;
  process.on('SIGUSR2', () => {
    const resources: Record<string, number> = {};
    for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
    const lateMs = Math.max(0, delay.percentile(99) / 1e6 - resolutionMs);
    if (snapshots !== undefined) keepSnapshot(snapshots);
    const memory = process.memoryUsage();
    const compiled = getHeapCodeStatistics().code_and_metadata_size;
    const compilersMost = getHeapStatistics().peak_malloced_memory;
    const look = { lateMs, resources, memory: { ...memory, compiled, compilersMost } };
    writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify(look));
    if (!counts) delay.reset();
    counts = true;
  });
}
