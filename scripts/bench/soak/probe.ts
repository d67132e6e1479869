/**
 * Loaded into every process of a soak before its own program (`NODE_OPTIONS=--import`): on SIGUSR2 it writes down what keeps
 * the process busy and alive, and begins to count anew.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/** Looks at the event loop so often, ms; a loop that is never late is seen as late by this. */
const resolutionMs = 5;

const folder = process.env.UKETSUKE_PROBE_FOLDER;
if (isMainThread && folder !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  process.on('SIGUSR2', () => {
    const resources: Record<string, number> = {};
    for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
    const lateMs = Math.max(0, delay.percentile(99) / 1e6 - resolutionMs);
    writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify({ lateMs, resources }));
    delay.reset();
  });
}
