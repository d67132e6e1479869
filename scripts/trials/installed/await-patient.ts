/**
 * In the container, from its first moment: waits until the page that a patient sees is the terminal's welcome, painted by a
 * browser, with settings, broker and an agent that answers. Writes down when, by the clock that systemd counts by.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { askReport } from '../../../drivers/host/health-socket.ts';
import { healthReportSchema } from '../../../src/terminal/doctor/health.ts';

/** A machine on which nothing else runs is through long before. ms */
const patienceMs = 120_000;
/** Fine enough beside a start of seconds. ms */
const lookMs = 50;

/** CLOCK_MONOTONIC, of which a container has none of its own. ms */
const now = (): number => Number(process.hrtime.bigint() / 1_000_000n);
const end = now() + patienceMs;
let last = null;
while (now() < end) {
  last = await askReport(healthReportSchema, '/run/uketsuke/health.sock', 1_000);
  const isServed =
    last !== null &&
    last.state === 'idle' &&
    last.broker.present &&
    last.agentAnswers &&
    last.settings &&
    !last.agentTrouble;
  if (isServed && last?.screen.connected && last.screen.paintedAgoMs !== null) {
    writeFileSync('/trial/ready.json', JSON.stringify({ atMs: now() }));
    process.exit(0);
  }
  await pause(lookMs);
}
writeFileSync('/trial/ready.json', JSON.stringify({ last }));
