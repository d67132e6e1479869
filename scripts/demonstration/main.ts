import { parseArgs } from 'node:util';
import type { LogLine } from './child.ts';
import { startClinicDemo } from './clinic-demo.ts';
import { startControlPanel } from './control-panel.ts';
import { demoStaff } from './facility.ts';
import { printRealParts, realParts } from './real-parts.ts';
import { runOnce } from './run-once.ts';
import type { Timeline } from './timeline.ts';
import { scriptedVisits } from './visits.ts';

const usage = `./scripts/demo [--once] [--json] [--visit NAME] [--camera DEVICE] [--record FILE] [--log]

  --once           a scripted patient makes every visit, then everything ends; exit code 0 only if all ended well
  --visit NAME     with --once: only this one; may stand several times (${scriptedVisits.map(({ name }) => name).join(', ')})
  --json           with --once: the last line is one JSON object
  --camera DEVICE  a V4L2 device such as /dev/video0 in place of the virtual camera
  --record FILE    writes the visits down, without the person: uketsuke visit replay FILE
  --log            the event logs of terminal, link and agent on standard error
`;

const fail = (text: string): never => {
  process.stderr.write(text);
  process.exit(2);
};

const { values } = (() => {
  try {
    return parseArgs({
      options: {
        once: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        visit: { type: 'string', multiple: true },
        camera: { type: 'string' },
        record: { type: 'string' },
        log: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    return fail(`${(error as Error).message}\n\n${usage}`);
  }
})();
if (values.help) {
  process.stdout.write(usage);
  process.exit(0);
}
const once = values.once || values.visit !== undefined;
const unknown = values.visit?.find((wanted) => !scriptedVisits.some(({ name }) => name === wanted));
if (unknown !== undefined) fail(`no visit "${unknown}"\n\n${usage}`);

const parts = await realParts(values.camera ?? null);
process.stdout.write(`\nreal parts of this machine, and what this demo runs on\n${printRealParts(parts)}`);

let timeline: Timeline | null = null;
const follow = (source: 'terminal' | 'link' | 'agent', line: LogLine): void => {
  timeline?.add(source, line);
  if (values.log) process.stderr.write(`${source} ${JSON.stringify(line)}\n`);
};

const demo = await startClinicDemo({
  // Two scripted runs may stand side by side: they take any free port.
  screenPort: once ? 0 : 8480,
  staffPort: once ? 0 : 8490,
  answerDelayMs: once ? 300 : 3_000,
  cameraDevice: values.camera ?? null,
  tape: values.record,
  onLog: follow,
});

if (once) {
  const write = (text: string): void => void process.stdout.write(text);
  const report = await runOnce(
    demo,
    values.visit ?? null,
    (next) => {
      timeline = next;
    },
    write,
  );
  await demo.close();
  if (values.json) write(`${JSON.stringify({ ...report, parts })}\n`);
  process.exit(report.ok ? 0 : 1);
}

const panel = await startControlPanel(demo, 8481);
process.stdout.write(`
  受付 Uketsuke, the demo

  patient's screen   http://127.0.0.1:${demo.screenPort}
  control panel      http://127.0.0.1:${panel.port}
  staff page         ${demo.agent.staffPage}
  files for the レセコン  ${demo.agent.oqsFolder}

  Try: open screen and panel side by side, lay down Hanako's card with her own face before the camera; then with
  somebody else's; her PIN is 1234. Pull the card while consenting and put it back. Cut the network while sending.
  Call staff on the screen and approve the patient on the staff page (${demoStaff.label}, code ${demoStaff.staffCode}).
  Ctrl-C ends everything.
`);
const stop = async (): Promise<void> => {
  await panel.close();
  await demo.close();
  process.exit(0);
};
process.once('SIGINT', () => void stop());
process.once('SIGTERM', () => void stop());
