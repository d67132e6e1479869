import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning } from '../../beds/is-running.ts';
import { WineRoom } from '../../beds/wine-room.ts';
import { moveInstalledClinic } from './moved-clinic.ts';
import { eventually, program } from './windows-clinic.ts';

/*
 * What install.ps1 calls, by itself: `uketsuke provision clinic` on Windows makes keys, folders, rights and the service,
 * and the service manager runs it. In a network of its own, for the ports are those of a clinic.
 */

const service = 'UketsukeAgent';
const places = { data: 'C:\\ProgramData\\Uketsuke', oqs: 'C:\\OQS', codes: 'C:\\codes', answers: 'C:\\answers.yaml' };
const answers = [
  'facility: clinic-0001',
  'name: さくら内科クリニック',
  'institutionCode: "1310000001"',
  'kind: medical',
  'lanes: 2',
  '',
].join('\r\n');

const clear = (room: WineRoom): void => {
  for (const place of Object.values(places)) rmSync(room.path(place), { recursive: true, force: true });
};

/** The process that the service watches: its command line, without the words that make it a service. */
const agentProcess = (): number | undefined =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return (
          words.includes(places.data) &&
          words.includes('main.ts') &&
          !words.includes('windows-service') &&
          !words.includes('provision')
        );
      } catch {
        return false;
      }
    });

/** By its code, from this machine in the network of the room. */
const enrolTerminal = (room: WineRoom, code: string, place: string): { found: number; sent: boolean; ms: number } => {
  const file = join(room.path(places.codes), code);
  const script = new URL('./enrolled-terminal.ts', import.meta.url).pathname;
  const words = ['--disable-warning=ExperimentalWarning', script, file, place];
  const told = execFileSync('nsenter', ['-t', String(room.processId), '-n', process.execPath, ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
  });
  return JSON.parse(told);
};

/** The staff page, asked for in the room's network; null: nobody answers */
const pageIn = (room: WineRoom): string | null => {
  const look =
    'fetch("http://127.0.0.1:8490/").then((a) => a.text()).then((t) => console.log(t), () => process.exit(1))';
  try {
    return execFileSync('nsenter', ['-t', String(room.processId), '-n', process.execPath, '-e', look], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 20_000,
    });
  } catch {
    return null;
  }
};

export const tryService = async (
  root: string,
  directory: string,
  say: (text: string) => void,
): Promise<{ recoverMs: number }> => {
  const room = await WineRoom.open(root, directory, { ownNetwork: true });
  const uketsuke = (...words: string[]): Promise<string> =>
    room.run([`${program}\\node.exe`, '--disable-warning=ExperimentalWarning', `${program}\\src\\main.ts`, ...words]);
  const state = async (): Promise<string> =>
    /STATE\s*:\s*\d+\s+(\w+)/.exec(await room.run(['sc.exe', 'query', service]))?.[1] ?? '';
  const page = (): string | null => pageIn(room);
  const answers8490 = (): Promise<string> => eventually('the staff page of the service', () => page() ?? undefined);
  try {
    clear(room);
    // The stick is there: no folder is made in its place.
    mkdirSync(room.path(places.codes));
    writeFileSync(room.path(places.answers), answers);
    const setUp = ['provision', 'clinic', '--answers', places.answers, '--test', '--host', '127.0.0.1'];
    const said = await uketsuke(...setUp, '--codes-to', places.codes, '--wait-minutes', '2');
    if (!said.includes('"waiting":["terminal-01","terminal-02"]')) throw new Error(said);
    await eventually('the service to run', async () => ((await state()) === 'RUNNING' ? true : undefined));
    if (!(await answers8490()).includes('<html')) throw new Error('no page');
    const made = ['face', 'req', 'res'].every((name) => existsSync(join(room.path(places.oqs), name)));
    const codes = readdirSync(room.path(places.codes));
    if (!made || codes.length !== 2) throw new Error(`folders ${made}, codes ${codes.join()}`);
    say('  provision clinic: keys, folders, two codes, the service runs, the staff page answers');

    const pid = agentProcess();
    if (pid === undefined) throw new Error('the process of the agent is not found');
    const terminal = enrolTerminal(room, codes[0] ?? '', join(directory, 'enrolled'));
    if (terminal.found !== 1 || !terminal.sent || agentProcess() !== pid)
      throw new Error(`the terminal: ${JSON.stringify(terminal)}, the agent ${pid}, now ${agentProcess()}`);
    say(`  a terminal finds the clinic, enrols and is served ${terminal.ms} ms later; nothing was restarted`);

    process.kill(pid, 'SIGKILL');
    const beganMs = performance.now();
    await eventually('the end of the agent', () => (isRunning(pid) ? undefined : true));
    await answers8490();
    const recoverMs = Math.round(performance.now() - beganMs);
    say(`  the agent killed: it answers again after ${recoverMs} ms`);

    // One of the two is enrolled; the other gets a new code, and what waits for it goes on.
    if (!(await uketsuke(...setUp)).includes('"waiting":["terminal-02"]')) throw new Error('the second run');
    await room.run(['sc.exe', 'stop', service]);
    await eventually('the service to stop', async () => ((await state()) === 'STOPPED' ? true : undefined));
    if (agentProcess() !== undefined || page() !== null) throw new Error('the agent outlives its service');
    const log = readFileSync(room.path(`${places.data}\\agents\\agent-1\\agent.log`), 'utf8');
    if (!log.includes('process.stopping')) throw new Error('the agent was not closed in order');
    await room.run(['sc.exe', 'start', service]);
    await answers8490();
    say('  provision clinic once more, stop and start: in order');
    await moveInstalledClinic({ room, uketsuke, state, answers: answers8490, data: places.data, service });
    const again = enrolTerminal(room, codes[0] ?? '', join(directory, 'enrolled'));
    if (!again.sent) throw new Error(`the terminal after the restore: ${JSON.stringify(again)}`);
    say('  backup, a new folder, restore: the service runs, the terminal is served with the keys that it had');
    return { recoverMs };
  } finally {
    await room.run(['sc.exe', 'stop', service]).catch(() => {});
    await room.run(['sc.exe', 'delete', service]).catch(() => {});
    clear(room);
    room.close();
  }
};
