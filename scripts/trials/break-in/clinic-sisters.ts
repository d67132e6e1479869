import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import mqtt from 'mqtt';
import { makeDeviceKeys } from '../../../src/agent/provisioning/make-device-keys.ts';
import { readLinkKeys, type TlsFiles } from '../../../src/trust/key-files.ts';
import { topicLeaves, topicOf } from '../../../src/wire/topics.ts';
import { within } from '../../beds/within.ts';
import { type Clinic, isAlive } from '../attacked-clinic-bed.ts';
import { type Attempts, hashOfFile } from './attempts.ts';
import { inquiryXml } from './clinic-attacks.ts';

const clinicName = 'demo-clinic';
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const oddKinds = (
  clinic: Clinic,
  put: (name: string | Buffer) => void,
  socket: Server,
): readonly (readonly [string, () => void | Promise<void>])[] => {
  const at = (folder: string, name: string): string => join(clinic.oqsFolder, folder, name);
  return [
    [
      'a socket, and a real device node, under names of requests',
      async () => {
        await new Promise<void>((resolve) => socket.listen(at('req', 'OQSsiquc01req_0sock.xml'), resolve));
        execFileSync('mknod', [at('req', 'OQSsiquc01req_0node.xml'), 'c', '1', '5']);
      },
    ],
    [
      'a folder with things in it under the name of the next answer',
      () => {
        mkdirSync(at('res', 'OQSsiquc01res_taken.xml/deep'), { recursive: true });
        put('OQSsiquc01req_taken.xml');
      },
    ],
    [
      'a link that leads to itself, and one that leads to a folder',
      () => {
        symlinkSync(at('req', 'OQSsiquc01req_0self.xml'), at('req', 'OQSsiquc01req_0self.xml'));
        symlinkSync(clinic.agentDirectory, at('req', 'OQSsiquc01req_0down.xml'));
      },
    ],
    [
      'two thousand links under names of requests',
      () => {
        for (let index = 0; index < 2_000; index += 1)
          symlinkSync('/etc/passwd', at('req', `OQSsiquc01req_0many${index}.xml`));
      },
    ],
    [
      'three thousand files that are no requests',
      () => {
        for (let index = 0; index < 3_000; index += 1) writeFileSync(at('req', `0noise${index}.txt`), '');
      },
    ],
  ];
};

/** What is put into the shared folder, and how. `put`: an inquiry under that name in `req/`. */
const oddThings = (
  clinic: Clinic,
  put: (name: string | Buffer) => void,
  socket: Server,
): readonly (readonly [string, () => void | Promise<void>])[] => {
  return [
    [
      'names with two dots, a backslash, a line break, a quote',
      () => {
        for (const id of ['..', '..\\..\\x', 'a\nb', '"><x>', '%2e%2e%2f', '$(id)', '-rf', '\u202exml', '.', ' '])
          put(`OQSsiquc01req_${id}.xml`);
      },
    ],
    [
      'names of 255 bytes, whose answer has no room for a temporary name',
      () => {
        put(`OQSsiquc01req_${'x'.repeat(237)}.xml`);
        put(`OQSsiquc01req_${'あ'.repeat(79)}.xml`);
      },
    ],
    [
      'names that are no UTF-8',
      () => {
        for (const byte of [0x80, 0xc0, 0xff])
          put(Buffer.concat([Buffer.from('OQSsiquc01req_'), Buffer.from([byte]), Buffer.from('.xml')]));
      },
    ],
    [
      'names that differ in case alone',
      () => {
        for (const name of [
          'OQSsiquc01req_case.xml',
          'OQSSIQUC01REQ_case.xml',
          'oqssiquc01req_CASE.XML',
          'OQSsiquc01req_CASE.xml',
        ])
          put(name);
      },
    ],
    ...oddKinds(clinic, put, socket),
  ];
};

/** What else may lie in a shared folder, and under which names. */
export const attackNames = async (attempts: Attempts, clinic: Clinic): Promise<void> => {
  const at = (folder: string, name = ''): string => join(clinic.oqsFolder, folder, name);
  let next = 0;
  const isAnswered = async (id: string): Promise<boolean> => {
    writeFileSync(at('req', `OQSsiquc01req_${id}.xml`), inquiryXml('1000001'));
    return within(10_000, () => existsSync(at('res', `OQSsiquc01res_${id}.xml`)));
  };
  const outside = (): string => readdirSync(join(clinic.oqsFolder, '..')).sort().join();
  const before = outside();
  const judge = async () => {
    next += 1;
    const answered = await isAnswered(`after${next}`);
    const isIn = !answered || outside() !== before;
    return {
      isIn,
      seen: `others ${answered ? 'answered' : 'blocked'}, ${outside() === before ? 'nothing' : 'something'} outside`,
    };
  };
  const put = (name: string | Buffer): void => {
    const folder = Buffer.from(`${at('req')}/`);
    writeFileSync(Buffer.concat([folder, Buffer.from(name)]), inquiryXml('1000001'));
  };
  const socket = createServer();
  const planted = oddThings(clinic, put, socket);
  for (const [what, plant] of planted) {
    await attempts.attempt(30, what, async () => {
      await plant();
      return judge();
    });
  }
  socket.close();
  for (const folder of ['req', 'res'] as const)
    for (const entry of readdirSync(at(folder), { encoding: 'buffer' }))
      rmSync(Buffer.concat([Buffer.from(`${at(folder)}/`), entry]) as unknown as string, {
        recursive: true,
        force: true,
      });
};

type Client = { readonly client: mqtt.MqttClient; readonly heard: Map<string, number> };

/** A client of our own, without the manners of ours: retained messages, wills, any filter. */
const enter = async (clinic: Clinic, tls: TlsFiles, options: mqtt.IClientOptions = {}): Promise<Client> => {
  const client = mqtt.connect({
    ...{ protocol: 'mqtts', host: '127.0.0.1', port: clinic.brokerPort, servername: 'localhost', protocolVersion: 4 },
    ...{ key: tls.key, cert: tls.certificate, ca: tls.ca, clientId: 'terminal-01', reconnectPeriod: 0, ...options },
  });
  const heard = new Map<string, number>();
  client.on('error', () => {});
  client.on('message', (topic) => void heard.set(topic, (heard.get(topic) ?? 0) + 1));
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve());
    client.once('close', () => reject(new Error('not let in')));
  });
  return { client, heard };
};

/** Much at once, at the broker and at the link. */
const attackLength = async (attempts: Attempts, clinic: Clinic, own: TlsFiles): Promise<void> => {
  await attempts.attempt(34, '8 MB on a topic of its own, and a thousand words of nonsense', async () => {
    const { client } = await enter(clinic, own);
    client.publish(topicOf(clinicName, 'terminal-01', 'request'), Buffer.alloc(8 << 20), { qos: 0 });
    await pause(500);
    client.end(true);
    const again = await enter(clinic, own);
    for (let index = 0; index < 1_000; index += 1)
      again.client.publish(topicOf(clinicName, 'terminal-01', index % 2 === 0 ? 'state' : 'lookup'), `{"x":${index}`, {
        qos: 0,
      });
    await pause(1_000);
    again.client.end(true);
    const { dead, silent } = await isAlive(clinic);
    return { isIn: dead.length + silent.length > 0, seen: [...dead, ...silent].join(', ') || 'all answer' };
  });
  await attempts.attempt(36, 'eight connections to the link that say that they live and never greet', async () => {
    const [path = ''] = clinic.sockets;
    const alive = Buffer.from('{"alive":true}');
    const frame = Buffer.alloc(9 + alive.length);
    frame.writeUInt32BE(5 + alive.length, 0);
    frame.writeUInt32BE(alive.length, 4);
    alive.copy(frame, 9);
    const held = Array.from({ length: 8 }, () => {
      const socket = connect(path);
      socket.on('error', () => socket.destroy());
      socket.resume();
      const beat = setInterval(() => socket.write(frame), 1_000);
      socket.on('close', () => clearInterval(beat));
      return socket;
    });
    const gone = await within(20_000, () => held.every((socket) => socket.destroyed));
    for (const socket of held) socket.destroy();
    const { dead, silent } = await isAlive(clinic);
    return { isIn: !gone || dead.length + silent.length > 0, seen: gone ? 'all hung up on' : 'still held' };
  });
};

const plantRetained = async (attempts: Attempts, clinic: Clinic, own: TlsFiles): Promise<void> => {
  const notOurs = topicLeaves
    .filter((leaf) => ['challenge', 'lookup-result', 'receipt', 'result', 'command', 'settings'].includes(leaf))
    .map((leaf) => topicOf(clinicName, 'terminal-01', leaf));
  const foreign = ['terminal-02', 'agent-01', '+', 'terminal-01/x', ''].map((device) =>
    topicOf(clinicName, device, 'state'),
  );
  const odd = [
    '$SYS/broker/uptime',
    '#',
    'uketsuke',
    `uketsuke/v1/${clinicName}`,
    'uketsuke/v1/other/terminal-01/state',
  ];
  await attempts.attempt(5, 'a retained word on every topic that is not its own', async () => {
    for (const topic of [...notOurs, ...foreign.filter((one) => !one.includes('+')), ...odd.slice(2)]) {
      // Aedes ends the connection at a topic that is not permitted.
      const { client } = await enter(clinic, own).catch(() => ({ client: null }));
      client?.publish(topic, 'planted', { retain: true, qos: 1 });
      await pause(60);
      client?.end(true);
    }
    const { client, heard } = await enter(clinic, own);
    for (const topic of notOurs) client.subscribe(topic);
    const planted: string[] = [];
    client.on('message', (topic, payload) => {
      if (payload.toString() === 'planted') planted.push(topic);
    });
    await pause(1_000);
    client.end(true);
    return { isIn: planted.length > 0, seen: `${planted.length} of ${heard.size} retained` };
  });
};

/** A terminal's certificate in the attacker's hand, at the broker. The honest terminal of that name is pushed aside meanwhile. */
export const attackTopics = async (attempts: Attempts, clinic: Clinic): Promise<void> => {
  const own = await readLinkKeys(clinic.deviceDirectory);
  await plantRetained(attempts, clinic, own);
  await attempts.attempt(5, 'wide filters and shared subscriptions', async () => {
    const read = new Set<string>();
    for (const filter of [
      '#',
      '+/#',
      'uketsuke/#',
      `uketsuke/v1/${clinicName}/+/request`,
      '$SYS/#',
      `$share/x/uketsuke/v1/${clinicName}/+/state`,
      `uketsuke/v1/${clinicName}/terminal-01/#`,
    ]) {
      const { client, heard } = await enter(clinic, own).catch(() => ({
        client: null,
        heard: new Map<string, number>(),
      }));
      client?.subscribe(filter);
      await pause(700);
      client?.end(true);
      for (const topic of heard.keys()) read.add(topic);
    }
    return { isIn: read.size > 0, seen: `${read.size} topics heard` };
  });
  await attempts.attempt(5, 'a last will on a topic of the agent', async () => {
    const topic = topicOf(clinicName, 'terminal-01', 'settings');
    const will = { topic, payload: Buffer.from('planted by will'), retain: true, qos: 1 as const };
    const { client } = await enter(clinic, own, { will });
    client.stream.destroy();
    await pause(500);
    const again = await enter(clinic, own);
    let isIn = false;
    again.client.on('message', (_topic, payload) => {
      isIn ||= payload.toString() === 'planted by will';
    });
    again.client.subscribe(topic);
    await pause(700);
    again.client.end(true);
    return { isIn, seen: isIn ? 'passed on' : 'not passed on' };
  });
  await attackLength(attempts, clinic, own);
};

/** The one-use code of a terminal, and the listener that takes it. */
export const attackEnrolment = async (attempts: Attempts, clinic: Clinic): Promise<void> => {
  const { ca } = await readLinkKeys(clinic.deviceDirectory);
  const registry = join(clinic.directory, 'devices.json');
  const ask = (body: string, more: object = {}): Promise<string> =>
    new Promise((resolve) => {
      const at = { host: '127.0.0.1', servername: 'localhost', port: clinic.enrolmentPort, path: '/enrol', ca };
      const asked = request({ ...at, method: 'POST', ...more }, (reply) => {
        reply.resume();
        reply.on('end', () => resolve(String(reply.statusCode)));
      });
      asked.on('error', (error) => resolve(error.message));
      asked.end(body);
    });
  const keysIn = (name: string) => makeDeviceKeys(join(clinic.directory, name));
  const secret = clinic.enrolmentSecret;
  const code = async (name: string, more: object = {}): Promise<string> =>
    JSON.stringify({ device: 'terminal-07', secret, ...(await keysIn(name)), ...more });
  const refused = async (what: string, body: string): Promise<void> =>
    attempts.attempt(37, what, async () => {
      const before = hashOfFile(registry);
      const told = await ask(body);
      return { isIn: hashOfFile(registry) !== before || told === '200', seen: told };
    });
  await refused("another terminal's name with our code", await code('enrols', { device: 'terminal-08' }));
  await refused('a name that is a path', await code('enrols', { device: '../../agents/agent-01' }));
  await refused('a name of the agent', await code('enrols', { device: 'agent-01' }));
  await refused('the secret in other letters', await code('enrols', { secret: secret.toUpperCase() }));
  await refused(
    'a key that is no point of the curve',
    await code('enrols', {
      signingKey: { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43), kid: 'A'.repeat(43) },
    }),
  );
  if ((await ask(await code('enrols'))) !== '200') throw new Error('an honest enrolment is refused');
  await refused('the used code again, with keys of our own', await code('stranger'));
  const enrolled = await keysIn('enrols');
  await refused(
    'the used code with the signing key of the terminal and a sealing key of our own',
    await code('enrols', { sealingKey: (await keysIn('stranger')).sealingKey, signingKey: enrolled.signingKey }),
  );
  await attempts.attempt(37, 'the enrolment in TLS 1.2', async () => {
    const told = await ask('{}', { maxVersion: 'TLSv1.2' });
    return { isIn: /^\d{3}$/.test(told), seen: told.slice(0, 40) };
  });
  await attempts.attempt(37, 'no private key of that terminal at the clinic', async () => {
    const { d } = JSON.parse(readFileSync(join(clinic.directory, 'enrols/terminal/signing-key.jwk.json'), 'utf8')) as {
      d: string;
    };
    rmSync(join(clinic.directory, 'enrols'), { recursive: true });
    const found = readdirSync(clinic.directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => readFileSync(path).includes(d));
    return { isIn: found.length > 0, seen: `${found.length} files` };
  });
  await attempts.attempt(33, 'the right secret after twenty guesses', async () => {
    for (let guess = 0; guess < 20; guess += 1) await ask(await code('stranger', { secret: 'A'.repeat(22) }));
    const held = await ask(await code('stranger'));
    // Silent ones beside it: 200, who know nothing.
    const silent = Array.from({ length: 200 }, () =>
      connectTls({ host: '127.0.0.1', port: clinic.enrolmentPort, rejectUnauthorized: false }).on('error', () => {}),
    );
    const told = await ask('{}');
    for (const socket of silent) socket.destroy();
    return { isIn: held === '200' || !/^\d{3}$/.test(told), seen: `${held}; with 200 silent ones: ${told}` };
  });
};
