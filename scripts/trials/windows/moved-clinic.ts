import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WineRoom } from '../../beds/wine-room.ts';
import { eventually, home, oqs, program, type WindowsClinic } from './windows-clinic.ts';

/* The clinic's end by its backup into a new folder: as people call it, with the service; and with visits before and after. */

const backup = 'C:\\clinic.uketsuke';
const passphraseFile = 'C:\\passphrase.txt';
/** Notepad's mark of UTF-8 and line end are no part of it. */
const passphrase = '\ufeffcorrect horse battery\r\n';

const clear = (room: WineRoom, old: string): void => {
  for (const place of [backup, passphraseFile, old]) rmSync(room.path(place), { recursive: true, force: true });
};

/** It must fail, in these words. */
const expectRefusal = async (words: string, work: () => Promise<string>): Promise<void> => {
  const told = await work().catch((error: Error) => error.message);
  if (!told.includes(words)) throw new Error(`not refused (${words}): ${told}`);
};

type Installed = {
  readonly room: WineRoom;
  readonly uketsuke: (...words: string[]) => Promise<string>;
  /** Of the service */
  readonly state: () => Promise<string>;
  /** Resolves when the staff page does. */
  readonly answers: () => Promise<string>;
  readonly data: string;
  readonly service: string;
};

/** Throws. Afterwards the restored clinic runs. */
export const moveInstalledClinic = async ({ room, uketsuke, state, answers, data, service }: Installed) => {
  const old = `${data} old`;
  clear(room, old);
  const isIn = (wanted: string): Promise<boolean> =>
    eventually(`the service to be ${wanted}`, async () => ((await state()) === wanted ? true : undefined));
  try {
    writeFileSync(room.path(passphraseFile), passphrase);
    await uketsuke('provision', 'backup', backup, '--passphrase-file', passphraseFile);
    await isIn('RUNNING');
    await answers();
    const restore = (): Promise<string> =>
      uketsuke('provision', 'restore', backup, '--passphrase-file', passphraseFile);
    await expectRefusal('holds a facility already', restore);
    if ((await state()) !== 'RUNNING') throw new Error('a refused restore has stopped the service');
    await room.run(['sc.exe', 'stop', service]);
    await isIn('STOPPED');
    await room.run(['sc.exe', 'delete', service]);
    renameSync(room.path(data), room.path(old));
    const said = await restore();
    if (!said.includes('The journal ends at 20')) throw new Error(said);
    await isIn('RUNNING');
    await answers();
    for (const name of ['facility.json', 'agents\\agent-1\\signing-key.jwk.json', 'agents\\agent-1\\devices.json'])
      if (!readFileSync(room.path(`${data}\\${name}`)).equals(readFileSync(room.path(`${old}\\${name}`))))
        throw new Error(`${name} is another one`);
    const log = readFileSync(room.path(`${data}\\agents\\agent-1\\agent.log`), 'utf8');
    if (!log.includes('storage.rolled-back'))
      throw new Error('the agent does not say that its journal is one of before');
    if (existsSync(room.path(`${data}\\restoring`))) throw new Error('the mark of a restore is still there');
  } finally {
    clear(room, old);
  }
};

/**
 * The agent killed, its folder by `src/cli/move-windows.ts` into a file and out of it in a new folder, the agent begun
 * there at the same address; then a visit of the terminal, which knows nothing of it. Throws.
 */
export const moveBetweenVisits = async (room: WineRoom, clinic: WindowsClinic, visit: () => Promise<void>) => {
  const old = `${home} old`;
  const tools = 'C:\\uketsuke move';
  clear(room, old);
  await visit();
  const before = clinic.rows().map(({ requestId }) => requestId);
  mkdirSync(room.path(tools), { recursive: true });
  const script = 'move-a-folder.mjs';
  cpSync(fileURLToPath(new URL(script, import.meta.url)), join(room.path(tools), script));
  const move = (what: 'backup' | 'restore'): Promise<string> =>
    room.run([
      `${program}\\node.exe`,
      '--disable-warning=ExperimentalWarning',
      `${tools}\\${script}`,
      what,
      backup,
      home,
      oqs,
    ]);
  await clinic.agent.kill();
  try {
    await move('backup');
    await expectRefusal('holds a facility already', () => move('restore'));
    renameSync(room.path(home), room.path(old));
    await move('restore');
    const said = clinic.terminalSaid.length;
    await clinic.agent.start(clinic.brokerPort);
    // Challenges of before are void: told with the agent's first answers, they are dropped and others fetched.
    await eventually('the terminal to fetch challenges anew', () =>
      clinic.terminalSaid.slice(said).some((line) => line.includes('challenge.stocked')) ? true : undefined,
    );
    if (!clinic.agent.said().includes('storage.rolled-back')) throw new Error('a journal of before is not told');
    await visit();
    const after = new Set(clinic.rows().map(({ requestId }) => requestId));
    if (before.length === 0 || !before.every((each) => after.has(each)) || after.size <= before.length)
      throw new Error(`${before.length} rows before, ${after.size} after`);
  } finally {
    clear(room, old);
    rmSync(room.path(tools), { recursive: true, force: true });
  }
};
