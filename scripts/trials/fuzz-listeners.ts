import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, type NetConnectOpts } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { parseArgs } from 'node:util';
import { addDevice } from '../../src/agent/provisioning/facility-authority.ts';
import { readLinkKeys } from '../../src/trust/key-files.ts';
import { type Clinic, isAlive, startAttackedClinic } from './attacked-clinic-bed.ts';
import {
  Dice,
  enrolmentBytes,
  fileBytes,
  frameBytes,
  httpBytes,
  mqttBytes,
  tlsBytes,
  upgradeBytes,
  webSocketBytes,
} from './fuzz-bytes.ts';

/*
 * npm run fuzz-listeners -- [--seconds 120] [--seed N] [--json]: raw bytes at every HTTP, WebSocket, TCP and Unix socket
 * that a clinic's processes listen on, and at every folder and file that they watch, as real processes. After each round
 * every listener must answer an honest question in time, and every process must be the one that it was.
 */

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '120' }, seed: { type: 'string' }, json: { type: 'boolean' } },
});
const seconds = Number(values.seconds);
const seed = values.seed === undefined ? Date.now() % 2_147_483_648 : Number(values.seed);

/** So long a listener may keep an input; then we hang up. ms */
const patienceMs = 250;
const inputsOfRound = 400;
const atOnce = 16;

type Input = { readonly target: string; readonly throwAt: () => Promise<void> };

/** Sends bytes in pieces, waits until the other end hangs up or patience ends. */
const throwBytes = (to: NetConnectOpts, pieces: readonly Buffer[]): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect(to);
    const end = (): void => {
      socket.destroy();
      resolve();
    };
    socket.setTimeout(patienceMs, end);
    const last = setTimeout(end, patienceMs * 2);
    socket.on('error', end);
    socket.on('close', () => {
      clearTimeout(last);
      resolve();
    });
    socket.on('connect', () => {
      for (const piece of pieces) socket.write(piece);
    });
    socket.resume();
  });

const cut = (dice: Dice, bytes: Buffer): readonly Buffer[] => {
  if (bytes.length < 2 || dice.chance(0.6)) return [bytes];
  const at = 1 + dice.below(bytes.length - 1);
  return [bytes.subarray(0, at), bytes.subarray(at)];
};

const hostOf = (address: string): string => new URL(address).host;
const portOf = (address: string): number => Number(new URL(address).port);

/** The first bytes of a real handshake. */
const clientHello = (): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    import('node:net').then(({ createServer }) => {
      const server = createServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', (chunk) => {
          socket.destroy();
          server.close();
          resolve(chunk);
        });
      });
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        const port = typeof address === 'object' && address !== null ? address.port : 0;
        connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, minVersion: 'TLSv1.3' }).on('error', () => {});
      });
    }, reject);
  });

const plant = (dice: Dice, folder: string, name: string, leadsTo: string): void => {
  const path = join(folder, name);
  rmSync(path, { recursive: true, force: true });
  switch (dice.below(8)) {
    case 0:
      return symlinkSync(leadsTo, path);
    case 1:
      return void mkdirSync(path);
    case 2:
      return void execFileSync('mkfifo', [path]);
    case 3:
      return symlinkSync('/dev/zero', path);
    default:
      return writeFileSync(path, fileBytes(dice));
  }
};

const folderInput = (dice: Dice, clinic: Clinic): (() => Promise<void>) => {
  const folder = join(clinic.oqsFolder, dice.of(['req', 'req', 'req', 'req', 'face', 'res']));
  const kind = dice.of(['OQSsiquc01', 'OQSmuquc01', 'OQSmuquc02', 'OQSsiquc99', 'x']);
  const name = `${kind}${dice.of(['req', 'res'])}_${dice.of(['1', 'a.b', '-', '__proto__', 'x'.repeat(90)])}${dice.below(40)}.xml`;
  return async () => plant(dice, folder, name, join(clinic.agentDirectory, 'devices.json'));
};

/** Files of the agent's own that it watches: whatever stands in them, the last good content stays in force. */
const watchedInput = (dice: Dice, clinic: Clinic): (() => Promise<void>) => {
  const path = join(
    clinic.agentDirectory,
    dice.of(['facility-settings.yaml', 'staff.json', 'devices.json', 'agents.json', 'facility-keys.json']),
  );
  const good = readFileSync(path);
  return async () => {
    writeFileSync(path, dice.chance(0.5) ? fileBytes(dice) : good.subarray(0, dice.below(good.length)));
    // Longer than the agent's look at it, now and then.
    if (dice.chance(0.3)) await new Promise((resolve) => setTimeout(resolve, 700));
    writeFileSync(path, good);
  };
};

const overTls = (port: number, keys: Awaited<ReturnType<typeof readLinkKeys>>, bytes: Buffer): Promise<void> =>
  new Promise((resolve) => {
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      key: keys.key,
      cert: keys.certificate,
      ca: keys.ca,
      servername: 'localhost',
    });
    const end = (): void => {
      socket.destroy();
      resolve();
    };
    const last = setTimeout(end, patienceMs * 4);
    socket.on('error', end);
    socket.on('close', () => {
      clearTimeout(last);
      resolve();
    });
    socket.on('secureConnect', () => socket.end(bytes));
    socket.resume();
  });

const openTargets = async (clinic: Clinic) => {
  const hello = await clientHello();
  // A certificate of the facility that no list of users names: MQTT is read, nobody is let in.
  const keys = await readLinkKeys(await addDevice(clinic.directory, 'terminal-99', 99));
  const http =
    (name: string, address: string) =>
    (dice: Dice): Input => {
      const pieces = cut(dice, httpBytes(dice, hostOf(address)));
      return { target: name, throwAt: () => throwBytes({ port: portOf(address), host: '127.0.0.1' }, pieces) };
    };
  const webSocket =
    (name: string, address: string) =>
    (dice: Dice): Input => {
      const pieces = [upgradeBytes(hostOf(address), '/screen'), ...cut(dice, webSocketBytes(dice))];
      return { target: name, throwAt: () => throwBytes({ port: portOf(address), host: '127.0.0.1' }, pieces) };
    };
  return [
    http('staff page', clinic.staffPage),
    http("patient's page", clinic.screen),
    webSocket("patient's page, socket", clinic.screen),
    http('control panel', clinic.panel),
    http('preview', clinic.preview),
    webSocket('preview, socket', clinic.preview),
    (dice: Dice): Input => {
      const pieces = cut(dice, tlsBytes(dice, hello));
      return {
        target: 'enrolment, before TLS',
        throwAt: () => throwBytes({ port: clinic.enrolmentPort, host: '127.0.0.1' }, pieces),
      };
    },
    (dice: Dice): Input => {
      const bytes = dice.chance(0.5) ? httpBytes(dice, `127.0.0.1:${clinic.enrolmentPort}`) : enrolmentBytes(dice);
      return { target: 'enrolment', throwAt: () => overTls(clinic.enrolmentPort, keys, bytes) };
    },
    (dice: Dice): Input => {
      const pieces = cut(dice, tlsBytes(dice, hello));
      return {
        target: 'broker, before TLS',
        throwAt: () => throwBytes({ port: clinic.brokerPort, host: '127.0.0.1' }, pieces),
      };
    },
    (dice: Dice): Input => {
      const bytes = mqttBytes(dice);
      return { target: 'broker, MQTT', throwAt: () => overTls(clinic.brokerPort, keys, bytes) };
    },
    ...clinic.sockets.map((path) => (dice: Dice): Input => {
      const name = path.split('/').at(-1) ?? '';
      const kind = name === 'link.sock' ? 'link' : name === 'face.sock' ? 'face' : 'other';
      const pieces = cut(dice, frameBytes(dice, kind));
      return { target: name, throwAt: () => throwBytes({ path }, pieces) };
    }),
    (dice: Dice): Input => ({ target: 'OQS folders', throwAt: folderInput(dice, clinic) }),
  ];
};

const clinic = await startAttackedClinic();
process.stdout.write(`seed ${seed}; ${clinic.processes.length} processes, ${clinic.sockets.length} Unix sockets\n`);
const targets = await openTargets(clinic);
const dice = new Dice(seed);
const counts: Record<string, number> = {};
let [inputs, crashes, hangs] = [0, 0, 0];
const until = performance.now() + seconds * 1_000;
while (performance.now() < until && crashes === 0) {
  const roundSeed = dice.below(2_147_483_647);
  const round = new Dice(roundSeed);
  const made = Array.from({ length: inputsOfRound }, () => round.of(targets)(round));
  // One at a time, since what it breaks it must mend again.
  made.push({ target: 'watched files', throwAt: watchedInput(round, clinic) });
  for (let at = 0; at < made.length; at += atOnce) {
    const now = made.slice(at, at + atOnce);
    await Promise.all(
      now.map(({ target, throwAt }) => {
        counts[target] = (counts[target] ?? 0) + 1;
        return throwAt();
      }),
    );
    inputs += now.length;
  }
  const { dead, silent } = await isAlive(clinic);
  crashes += dead.length;
  hangs += silent.length;
  if (dead.length + silent.length > 0)
    process.stdout.write(
      `round ${roundSeed} (seed ${seed}): dead ${dead.join(', ') || 'none'}; silent ${silent.join(', ') || 'none'}\n`,
    );
}
if (existsSync(clinic.directory)) await clinic.close();
const figures = { profile: 'demo', seed, seconds, inputs, targets: counts, crashes, hangs };
process.stdout.write(`${JSON.stringify(figures)}\n`);
process.exit(crashes === 0 && hangs === 0 ? 0 : 1);
