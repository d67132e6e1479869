import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClinicDemo, startClinicDemo } from '../demonstration/clinic-demo.ts';
import { startControlPanel } from '../demonstration/control-panel.ts';
import { demoStaff, deviceId } from '../demonstration/facility.ts';

/*
 * The processes of a clinic (agent, link, terminal, face, here the broker and the demo's control panel), for trials that
 * attack them from outside: prints one JSON line of what can be reached, then runs until standard input ends. When one
 * of them ends by itself, so does this.
 */

export type AttackedClinic = {
  readonly directory: string;
  readonly staffPage: string;
  readonly screen: string;
  readonly panel: string;
  readonly brokerPort: number;
  readonly oqsFolder: string;
  readonly journal: string;
  readonly agentDirectory: string;
  readonly deviceDirectory: string;
  readonly sockets: readonly string[];
  readonly staff: { readonly approver: string; readonly staffCode: string };
};

/** Process ids below `parent`, by the kernel. */
export const childrenOf = (parent: number): number[] => {
  try {
    const own = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    return own.flatMap((pid) => [pid, ...childrenOf(pid)]);
  } catch {
    return [];
  }
};

const describe = (demo: ClinicDemo, panelPort: number): AttackedClinic => {
  const { directory } = demo;
  const socket = (name: string): string => join(directory, name);
  return {
    directory,
    staffPage: demo.agent.staffPage,
    screen: `http://127.0.0.1:${demo.screenPort}/`,
    panel: `http://127.0.0.1:${panelPort}/`,
    brokerPort: demo.broker.port,
    oqsFolder: demo.agent.oqsFolder,
    journal: demo.agent.journal,
    agentDirectory: join(directory, 'agents', 'agent-01'),
    deviceDirectory: join(directory, 'devices', deviceId),
    sockets: ['link.sock', 'link-health.sock', 'health.sock', 'camera.sock', 'face.sock'].map(socket),
    staff: { approver: demoStaff.approver, staffCode: demoStaff.staffCode },
  };
};

if (import.meta.main) {
  const demo = await startClinicDemo({
    screenPort: 0,
    staffPort: 0,
    answerDelayMs: 100,
    cameraDevice: null,
    onLog: (source, line) => {
      if (line.event === 'process.error') process.stderr.write(`${source} ${JSON.stringify(line)}\n`);
    },
  });
  const panel = await startControlPanel(demo, 0);
  process.stdout.write(`${JSON.stringify(describe(demo, panel.port))}\n`);
  process.stdin.resume().on('end', () => {
    void panel
      .close()
      .then(() => demo.close())
      .then(() => process.exit(0));
  });
}
