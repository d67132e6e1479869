import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect as connectTls } from 'node:tls';
import { readLinkKeys } from '../../src/trust/key-files.ts';
import { type AttackedClinic, childrenOf } from './attacked-clinic.ts';

/** The clinic of `attacked-clinic.ts` with `uketsuke preview` beside it, as a trial holds them. */
export type Clinic = AttackedClinic & {
  readonly preview: string;
  /** Where terminals are enrolled, as `uketsuke provision clinic` listens while somebody waits for one */
  readonly enrolmentPort: number;
  /** Of the code for terminal-07 */
  readonly enrolmentSecret: string;
  /** Every process of it, with what it runs */
  readonly processes: readonly { readonly pid: number; readonly name: string }[];
  readonly close: () => Promise<void>;
};

/** An honest question is answered within this, on a busy machine, too. ms */
const answerMs = 10_000;

const nameOf = (pid: number): string | null => {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const program = words.find((word) => word.endsWith('.ts')) ?? words[0] ?? '';
    return `${program.split('/').at(-1)} ${words[words.indexOf(program) + 1]?.slice(0, 12) ?? ''}`.trim();
  } catch {
    return null;
  }
};

const lineOf = async (child: ChildProcess, fits: (line: string) => string | null): Promise<string> => {
  if (child.stdout === null) throw new Error('no output');
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`a process of the clinic ended with ${code} before it was ready`);
  });
  const read = (async () => {
    for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
      const found = fits(line);
      if (found !== null) return found;
    }
    throw new Error('no word of the clinic');
  })();
  const found = await Promise.race([read, failed]);
  child.stdout.resume();
  return found;
};

const here = (name: string): string => new URL(name, import.meta.url).pathname;

export const startAttackedClinic = async (): Promise<Clinic> => {
  const child = spawn(process.execPath, [here('./attacked-clinic.ts')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const clinic = JSON.parse(await lineOf(child, (line) => (line.startsWith('{') ? line : null))) as AttackedClinic;
  const preview = spawn(process.execPath, [here('../../src/main.ts'), 'preview', '--port', '0'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const enrolment = spawn(process.execPath, [here('./enrolling-clinic.ts'), clinic.directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { port: enrolmentPort, secret: enrolmentSecret } = JSON.parse(
    await lineOf(enrolment, (line) => (line.startsWith('{') ? line : null)),
  ) as { port: number; secret: string };
  const address = await lineOf(preview, (line) => /http:\/\/127\.0\.0\.1:\d+\//.exec(line)?.[0] ?? null);
  const pids = [child.pid, preview.pid, enrolment.pid].flatMap((pid) =>
    pid === undefined ? [] : [pid, ...childrenOf(pid)],
  );
  return {
    ...clinic,
    preview: address,
    enrolmentPort,
    enrolmentSecret,
    processes: pids.map((pid) => ({ pid, name: nameOf(pid) ?? '?' })),
    close: async () => {
      preview.kill('SIGTERM');
      enrolment.kill('SIGTERM');
      if (child.exitCode !== null || child.signalCode !== null)
        return void rmSync(clinic.directory, { recursive: true, force: true });
      const ended = once(child, 'exit');
      child.stdin?.end();
      await ended;
    },
  };
};

const inTime = (what: Promise<boolean>): Promise<boolean> =>
  Promise.race([
    what.catch(() => false),
    new Promise<boolean>((resolve) => setTimeout(resolve, answerMs, false).unref()),
  ]);

const page = async (address: string): Promise<boolean> => (await fetch(address)).status === 200;

const jsonSocket = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    let text = '';
    const socket = connect(path);
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(text.includes('{')));
  });

const connects = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    // The first word of either kind comes from the server.
    socket.once('data', () => {
      resolve(true);
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
  });

const tls = async (clinic: Clinic): Promise<boolean> => {
  const keys = await readLinkKeys(clinic.deviceDirectory);
  return new Promise((resolve) => {
    const options = {
      port: clinic.brokerPort,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: keys.ca,
      key: keys.key,
      cert: keys.certificate,
    };
    const socket = connectTls(options, () => {
      resolve(true);
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
  });
};

/** Somebody without a code is told so. */
const enrolment = async (clinic: Clinic): Promise<boolean> => {
  const keys = await readLinkKeys(clinic.deviceDirectory);
  return new Promise((resolve) => {
    const at = { host: '127.0.0.1', servername: 'localhost', port: clinic.enrolmentPort, path: '/enrol' };
    const asked = request({ ...at, method: 'POST', ca: keys.ca }, (reply) => {
      reply.resume();
      resolve(reply.statusCode === 400);
    });
    asked.on('error', () => resolve(false));
    asked.end('{}');
  });
};

/** An inquiry of the レセコン is answered. */
const inquiry = async (clinic: Clinic): Promise<boolean> => {
  const id = `alive${process.hrtime.bigint()}`;
  const request =
    '<?xml version="1.0" encoding="UTF-8"?><XmlMsg><MessageHeader><MedicalInstitutionCode>1310000001</MedicalInstitutionCode></MessageHeader><MessageBody><QualificationConfirmSearchInfo><InsurerNumber>  138057</InsurerNumber><InsuredIdentificationNumber>1000001</InsuredIdentificationNumber><LimitApplicationCertificateRelatedConsFlg>1</LimitApplicationCertificateRelatedConsFlg></QualificationConfirmSearchInfo></MessageBody></XmlMsg>';
  writeFileSync(join(clinic.oqsFolder, 'req', `OQSsiquc01req_${id}.xml`), request);
  const answer = join(clinic.oqsFolder, 'res', `OQSsiquc01res_${id}.xml`);
  const lastMs = performance.now() + answerMs;
  while (performance.now() < lastMs && !existsSync(answer)) await new Promise((resolve) => setTimeout(resolve, 100));
  const isThere = existsSync(answer);
  rmSync(answer, { force: true });
  return isThere;
};

/** Processes that are gone, and listeners that did not answer an honest question in time. */
export const isAlive = async (
  clinic: Clinic,
): Promise<{ readonly dead: readonly string[]; readonly silent: readonly string[] }> => {
  const dead = clinic.processes
    .filter(({ pid, name }) => nameOf(pid) !== name)
    .map(({ name, pid }) => `${name} (${pid})`);
  if (dead.length > 0) return { dead, silent: [] };
  const [link = '', linkHealth = '', health = '', camera = '', face = ''] = clinic.sockets;
  const questions: readonly (readonly [string, Promise<boolean>])[] = [
    ['staff page', page(clinic.staffPage)],
    ["patient's page", page(clinic.screen)],
    ['control panel', page(clinic.panel)],
    ['preview', page(clinic.preview)],
    ['broker', tls(clinic)],
    ['health', jsonSocket(health)],
    ['health of the link', jsonSocket(linkHealth)],
    ['link', connects(link)],
    ['camera control', connects(camera)],
    ['face process', connects(face)],
    ['enrolment', enrolment(clinic)],
    ['OQS folder', inquiry(clinic)],
  ];
  const answers = await Promise.all(questions.map(async ([name, question]) => [name, await inTime(question)] as const));
  return { dead, silent: answers.filter(([, isThere]) => !isThere).map(([name]) => name) };
};
