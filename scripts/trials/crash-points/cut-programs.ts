import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addAgent, addDevice, createFacility } from '../../../src/agent/provisioning/facility-authority.ts';
import { readLinkKeys, readTerminalKeys } from '../../../src/trust/key-files.ts';
import { readTlsPairs } from '../../../src/trust/tls-pairs.ts';
import type { Cut } from './cut-migrations.ts';
import { type CrashPoint, changing, pointsOf, shifts } from './traced-calls.ts';

/* Programs that change files and end: each dies at each of its calls, and what it left behind is what the next run begins with. */

type Program = {
  readonly name: string;
  /** What lies there before */
  readonly lay: (folder: string) => Promise<void>;
  /** Source of the program; its folder is `folder` */
  readonly source: string;
  /** After a death at any call: what can be used of it all the same. Throws when that is not enough to go on. */
  readonly usable: (folder: string) => Promise<void>;
  /** After a whole run, also the one after a death: what must be there, as words without what is another each time */
  readonly content: (folder: string) => Promise<string>;
};

const root = new URL('../../../', import.meta.url).href;
const dayMs = 86_400_000;

const layClinic = async (folder: string): Promise<string> => {
  const facility = join(folder, 'facility');
  await createFacility(facility, { facility: 'clinic-0001', brokerNames: ['localhost'] });
  await addAgent(facility, 'agent-1');
  return addDevice(facility, 'front-1', 1);
};
const deviceDirectory = (folder: string): string => join(folder, 'facility', 'devices', 'front-1');

/** What the link would show to the broker: a key and the certificate to it. */
const shown = async (folder: string): Promise<X509Certificate> => {
  const [{ certificate }] = await readTlsPairs(folder, await readLinkKeys(deviceDirectory(folder)));
  return new X509Certificate(certificate);
};

const renewal: Program = {
  name: 'renewal of the certificates of terminal and agent',
  lay: async (folder) => void (await layClinic(folder)),
  source: `
    const { openCertificateEnds } = await import('${root}scripts/beds/certificate-bed.ts');
    const { readLinkKeys } = await import('${root}src/trust/key-files.ts');
    const { X509Certificate } = await import('node:crypto');
    const deviceDirectory = folder + '/facility/devices/front-1';
    const { certificate } = await readLinkKeys(deviceDirectory);
    const wallMs = Date.parse(new X509Certificate(certificate).validTo) - 20 * ${dayMs};
    const time = () => ({ wallMs, floorMs: wallMs, certainty: 'confirmed', fault: null });
    const agentDirectory = folder + '/facility/agents/agent-1';
    const ends = await openCertificateEnds({ agentDirectory, deviceDirectory, device: 'front-1', state: folder }, time);
    await ends.look();`,
  usable: async (folder) => {
    const certificate = await shown(folder);
    if (!certificate.subject.includes('front-1')) throw new Error('another certificate');
  },
  content: async (folder) => {
    const first = new X509Certificate((await readLinkKeys(deviceDirectory(folder))).certificate);
    const now = await shown(folder);
    return `renewed ${now.validToDate > first.validToDate}, ${now.subject}`;
  },
};

const separation: Program = {
  name: 'an update parts the keys of terminal and link',
  lay: async (folder) => {
    const device = await layClinic(folder);
    const flat = join(folder, 'device');
    for (const part of ['link', 'terminal']) cpSync(join(device, part), flat, { recursive: true });
  },
  source: `
    const { separateKeys } = await import('${root}src/trust/separate-keys.ts');
    await separateKeys(folder + '/device', undefined);`,
  // Each key lies in the old place or the new one, and the next run brings it there.
  usable: async () => {},
  content: async (folder) => {
    const device = join(folder, 'device');
    const [{ device: name }, { key }] = [await readTerminalKeys(device), await readLinkKeys(device)];
    return `${name} ${readdirSync(device).sort().join()} ${key.includes('PRIVATE KEY')}`;
  },
};

const programs: readonly Program[] = [renewal, separation];

/** `follows`: the threads beside the first are watched, too; each call of theirs is counted by itself. */
const runIn = async (program: Program, folder: string, inject: readonly string[], follows = true) => {
  const trace = join(folder, '..', 'trace');
  const source = `const folder = process.argv[1];${program.source}`;
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', source, folder];
  const strace = [
    ...(follows ? ['-f'] : []),
    '-qq',
    '-y',
    '-s',
    '0',
    '-e',
    `trace=${changing}`,
    ...inject,
    '-o',
    trace,
  ];
  // One thread for the calls on files, and nothing of the compiler's own cache.
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1', NODE_DISABLE_COMPILE_CACHE: '1' };
  const traced = spawn('strace', [...strace, ...node], { stdio: ['ignore', 'ignore', 'inherit'], env });
  const [status] = await once(traced, 'exit');
  const threads: (number | null)[] = [];
  const roleOf = (tid: number | null): string => {
    if (!threads.includes(tid)) threads.push(tid);
    return tid === threads[0] ? 'main' : 'worker';
  };
  return { status, points: pointsOf(readFileSync(trace, 'utf8'), folder, roleOf) };
};

const inFolder = async <T>(laid: string, work: (folder: string) => Promise<T>): Promise<T> => {
  const above = mkdtempSync(join(tmpdir(), 'uketsuke-cut-'));
  const folder = join(above, 'machine');
  cpSync(laid, folder, { recursive: true });
  try {
    return await work(folder);
  } finally {
    rmSync(above, { recursive: true });
  }
};

const cutOnce = (program: Program, laid: string, { call, nth, role }: CrashPoint, expected: string) =>
  inFolder(laid, async (folder): Promise<{ readonly cut: string | null; readonly wrong: string | null }> => {
    const { status, points } = await runIn(
      program,
      folder,
      ['-e', `inject=${call}:signal=SIGKILL:when=${nth}`],
      role !== 'main',
    );
    const cut = status === 0 ? null : (points.at(-1)?.name ?? null);
    try {
      await program.usable(folder);
      if ((await runIn(program, folder, [])).status !== 0) return { cut, wrong: 'the next run does not end well' };
      const content = await program.content(folder);
      return { cut, wrong: content === expected ? null : `holds ${content}` };
    } catch (error) {
      return { cut, wrong: String(error) };
    }
  });

/** `isChosen`: by the number of a point over all programs and its name */
export async function* cutPrograms(isChosen: (name: string) => boolean): AsyncGenerator<Cut> {
  for (const program of programs) {
    const above = mkdtempSync(join(tmpdir(), 'uketsuke-cut-'));
    const laid = join(above, 'laid');
    await program.lay(laid);
    const whole = await inFolder(laid, async (folder) => ({
      ...(await runIn(program, folder, [])),
      content: await program.content(folder),
    }));
    if (whole.status !== 0 || whole.points.length === 0)
      throw new Error(`${program.name}: does not run without a crash`);
    const met = new Set<string>();
    for (const point of whole.points) {
      const name = `${program.name}: ${point.name}`;
      if (!isChosen(name)) continue;
      let wrong: string | null = null;
      for (const shift of shifts) {
        if (met.has(point.name)) break;
        if (point.nth + shift < 1) continue;
        const done = await cutOnce(program, laid, { ...point, nth: point.nth + shift }, whole.content);
        if (done.cut !== null) met.add(done.cut);
        wrong ??= done.wrong;
      }
      yield { name, visited: met.has(point.name), wrong };
    }
    rmSync(above, { recursive: true });
  }
}
