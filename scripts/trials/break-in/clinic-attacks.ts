import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { WebSocket } from 'ws';
import { createMqttMessageBus } from '../../../drivers/message-bus/mqtt-message-bus.ts';
import { ensureTestAuthority } from '../../../drivers/virtual/test-authority.ts';
import { addDevice } from '../../../src/agent/provisioning/facility-authority.ts';
import { readLinkKeys } from '../../../src/trust/key-files.ts';
import { topicOf } from '../../../src/wire/topics.ts';
import { within } from '../../beds/within.ts';
import { authorityFolder } from '../../demonstration/facility.ts';
import { type Clinic, isAlive } from '../attacked-clinic-bed.ts';
import { type Attempts, hashOfFile, isServed } from './attempts.ts';

/** Raw bytes; answers the status line, or nothing. */
const say = (port: number, bytes: string): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setTimeout(3_000, () => socket.destroy());
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.includes('\r\n\r\n')) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
const statusOf = (answer: string): string => /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 'no answer';

const holdSilent = async (port: number, count: number): Promise<Socket[]> => {
  const held: Socket[] = [];
  for (let index = 0; index < count; index += 1) {
    const socket = connect({ port, host: '127.0.0.1', localAddress: `127.0.2.${1 + (index % 50)}` });
    socket.on('error', () => socket.destroy());
    held.push(socket);
    if (index % 50 === 49) await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
  }
  return held;
};

export const attackPages = async (attempts: Attempts, clinic: Clinic): Promise<void> => {
  const pages = [
    ['staff page', clinic.staffPage],
    ["patient's page", clinic.screen],
    ['control panel', clinic.panel],
    ['preview', clinic.preview],
  ] as const;
  for (const [name, address] of pages) {
    const port = Number(new URL(address).port);
    const own = `Host: 127.0.0.1:${port}\r\n`;
    for (const target of ['//', 'http://['])
      await attempts.attempt(29, `GET ${target} at the ${name}`, async () => {
        const status = statusOf(await say(port, `GET ${target} HTTP/1.1\r\n${own}\r\n`));
        const lives = await isServed(address);
        return { isIn: !lives || status === '200', seen: `${status}, page ${lives ? 'served' : 'gone'}` };
      });
    await attempts.attempt(26, `a name of another machine at the ${name} (DNS rebinding)`, async () => {
      const answer = await say(port, 'GET / HTTP/1.1\r\nHost: clinic.example\r\n\r\n');
      return { isIn: /html|token/.test(answer), seen: statusOf(answer) };
    });
    await attempts.attempt(29, `500 silent connections at the ${name}`, async () => {
      const held = await holdSilent(port, 500);
      const lives = await isServed(address);
      for (const socket of held) socket.destroy();
      return { isIn: !lives, seen: lives ? 'served' : 'not served' };
    });
  }
  for (const [name, address] of [pages[1], pages[3]] as const)
    await attempts.attempt(26, `a socket of a foreign page at the ${name}`, async () => {
      const socket = new WebSocket(`${address.replace('http', 'ws')}screen`, { origin: 'http://clinic.example' });
      const opened = await new Promise<boolean>((resolve) => {
        socket.on('open', () => resolve(true)).on('error', () => resolve(false));
      });
      socket.terminate();
      return { isIn: opened, seen: opened ? 'open' : 'refused' };
    });
  await attempts.attempt(26, 'a foreign page presses the control panel', async () => {
    const body = JSON.stringify({ action: 'insert', persona: 'hanako' });
    const answer = await fetch(new URL('/action', clinic.panel), {
      method: 'POST',
      headers: { origin: 'http://clinic.example' },
      body,
    });
    const { card } = (await (await fetch(new URL('/situation', clinic.panel))).json()) as { card: string | null };
    return { isIn: card !== null, seen: `${answer.status}, card ${card}` };
  });
  for (const [name, headers, token] of [
    ['an order to the staff page without an Origin', {}, true],
    ['an order to the staff page of a foreign page', { origin: 'http://clinic.example' }, true],
    ['an order to the staff page with a token of our own', { origin: clinic.staffPage.slice(0, -1) }, false],
  ] as const)
    await attempts.attempt(26, name, async () => {
      const page = await (await fetch(clinic.staffPage)).text();
      const real = /name="token" value="([^"]+)"/.exec(page)?.[1] ?? '';
      const body = new URLSearchParams({ token: token ? real : 'x'.repeat(43), designated: 'yes' });
      const answer = await fetch(new URL('/disaster', clinic.staffPage), {
        method: 'POST',
        headers,
        body,
        redirect: 'manual',
      });
      const after = await (await fetch(clinic.staffPage)).text();
      return { isIn: after.includes('指定が終わった</button>'), seen: answer.status };
    });
};

export const inquiryXml = (number: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?><XmlMsg><MessageHeader><MedicalInstitutionCode>1310000001</MedicalInstitutionCode></MessageHeader><MessageBody><QualificationConfirmSearchInfo><InsurerNumber>  138057</InsurerNumber><InsuredIdentificationNumber>${number}</InsuredIdentificationNumber><LimitApplicationCertificateRelatedConsFlg>1</LimitApplicationCertificateRelatedConsFlg></QualificationConfirmSearchInfo></MessageBody></XmlMsg>`;

export const attackFolders = async (attempts: Attempts, clinic: Clinic): Promise<void> => {
  const at = (folder: string, name = ''): string => join(clinic.oqsFolder, folder, name);
  const ours = ['devices.json', 'staff.json', 'signing-key.jwk.json', 'facility-keys.json'].map((name) =>
    join(clinic.agentDirectory, name),
  );
  const hashes = (): string => ours.map(hashOfFile).join(' ');
  const untouched = hashes();
  const secret = (
    JSON.parse(readFileSync(join(clinic.agentDirectory, 'signing-key.jwk.json'), 'utf8')) as { d: string }
  ).d;
  /** Files that hold our key and are not the attacker's own link to it. */
  const leaked = (): string =>
    spawnSync(
      'sh',
      ['-c', 'find "$1" -type f -links 1 -size -9M -exec grep -lF -e "$2" {} +', 'sh', clinic.oqsFolder, secret],
      {
        encoding: 'utf8',
      },
    ).stdout;
  let next = 0;
  /** Another inquiry is answered all the same. */
  const answers = async (): Promise<boolean> => {
    next += 1;
    writeFileSync(at('req', `OQSsiquc01req_honest${next}.xml`), inquiryXml('1000001'));
    return within(10_000, () => existsSync(at('res', `OQSsiquc01res_honest${next}.xml`)));
  };
  const judge = async () => {
    const isAnswered = await answers();
    const isIn = !isAnswered || leaked() !== '' || hashes() !== untouched;
    return {
      isIn,
      seen: `others ${isAnswered ? 'answered' : 'blocked'}, keys and registry ${hashes() === untouched ? 'untouched' : 'changed'}`,
    };
  };
  const name = (id: string): string => `OQSsiquc01req_${id}.xml`;
  const planted: readonly (readonly [string, () => void])[] = [
    [
      "a link to the agent's signing key under a request's name",
      () => symlinkSync(ours[2] ?? '', at('req', name('link'))),
    ],
    ["a second name of the agent's signing key", () => linkSync(ours[2] ?? '', at('req', name('hard')))],
    ["a directory with a request's name", () => mkdirSync(at('req', name('0dir')))],
    ["a FIFO with a request's name", () => execFileSync('mkfifo', [at('req', name('0fifo'))])],
    ["a device with a request's name", () => symlinkSync('/dev/zero', at('req', name('0zero')))],
    [
      'a link to the registry where the answer goes',
      () => symlinkSync(ours[0] ?? '', at('res', 'OQSsiquc01res_honest6.xml')),
    ],
    [
      'a link to the staff codes under the temporary name of an answer',
      () => symlinkSync(ours[1] ?? '', at('res', '.OQSsiquc01res_honest7.xml.writing')),
    ],
    [
      'a second name of the registry where the answer goes',
      () => linkSync(ours[0] ?? '', at('res', 'OQSsiquc01res_honest8.xml')),
    ],
    [
      'a request of 64 MB',
      () => {
        writeFileSync(at('req', name('big')), '');
        truncateSync(at('req', name('big')), 64 << 20);
      },
    ],
    ['XML ten thousand deep', () => writeFileSync(at('req', name('deep')), '<x>'.repeat(10_000))],
    [
      'XML with entities that grow',
      () =>
        writeFileSync(
          at('req', name('lol')),
          `<!DOCTYPE x [<!ENTITY a "${'b'.repeat(999)}"><!ENTITY c "&a;&a;&a;&a;">]><x>&c;</x>`,
        ),
    ],
    [
      'two thousand links at once',
      () => {
        for (let index = 0; index < 900; index += 1) symlinkSync('/etc/passwd', at('req', name(`many${index}`)));
      },
    ],
  ];
  for (const [what, plant] of planted)
    await attempts.attempt(30, what, async () => {
      plant();
      return judge();
    });
  for (const entry of readdirSync(at('req'))) rmSync(at('req', entry), { recursive: true, force: true });
  for (const folder of ['res', 'req'] as const)
    await attempts.attempt(30, `${folder}/ itself is a link to the agent's directory`, async () => {
      const before = readdirSync(clinic.agentDirectory).sort().join();
      renameSync(at(folder), `${at(folder)}-aside`);
      symlinkSync(clinic.agentDirectory, at(folder));
      const request =
        folder === 'res' ? at('req', name('redirected')) : join(clinic.agentDirectory, name('redirected'));
      if (folder === 'res') writeFileSync(request, inquiryXml('1000001'));
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      const after = readdirSync(clinic.agentDirectory).sort().join();
      rmSync(at(folder));
      renameSync(`${at(folder)}-aside`, at(folder));
      const isIn = after !== before || hashes() !== untouched;
      return { isIn, seen: isIn ? 'files appeared' : 'nothing written there' };
    });
  await attempts.attempt(30, 'after all of it, an honest inquiry', async () => {
    const isAnswered = await within(20_000, answers);
    return { isIn: !isAnswered, seen: isAnswered ? 'answered' : 'blocked' };
  });
};

type TlsMaterial = { readonly key?: string; readonly cert?: string; readonly maxVersion?: 'TLSv1.2' };

export const attackBroker = async (attempts: Attempts, clinic: Clinic): Promise<void> => {
  const own = await readLinkKeys(clinic.deviceDirectory);
  const port = clinic.brokerPort;
  const handshake = (material: TlsMaterial): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: own.ca, ...material });
      // TLS 1.3 tells a client only afterwards that its certificate was refused: a packet of MQTT must be answered.
      socket.on('secureConnect', () =>
        socket.write(Buffer.from('\x10\x17\x00\x04MQTT\x04\x02\x00\x3c\x00\x0bterminal-01', 'latin1')),
      );
      socket.on('data', (chunk: Buffer) => {
        resolve(chunk[0] === 0x20 && chunk[3] === 0);
        socket.destroy();
      });
      socket.on('error', () => resolve(false));
      socket.on('close', () => resolve(false));
    });
  const authority = await ensureTestAuthority(authorityFolder);
  const strange = spawnSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=terminal-01',
      '-keyout',
      '-',
      '-days',
      '2',
    ],
    { encoding: 'utf8' },
  ).stdout;
  for (const [name, material] of [
    ['no certificate', {}],
    ["a certificate of our own with a terminal's name", { key: strange, cert: strange }],
    ['the certificate authority of the cards', { cert: authority.caCertificatePem, key: own.key }],
    ['TLS 1.2 with the right certificate', { key: own.key, cert: own.certificate, maxVersion: 'TLSv1.2' as const }],
  ] as const)
    await attempts.attempt(6, `the broker with ${name}`, async () => {
      const isIn = await handshake(material).catch(() => false);
      return { isIn, seen: isIn ? 'connected' : 'refused' };
    });
  await attempts.attempt(6, 'MQTT without TLS', async () => {
    const answer = await say(port, '\x10\x17\x00\x04MQTT\x04\x02\x00\x3c\x00\x0bterminal-01');
    return { isIn: answer.startsWith('\x20'), seen: `${answer.length} bytes` };
  });
  const unlisted = await readLinkKeys(await addDevice(clinic.directory, 'terminal-98', 98));
  const enters = async (
    tls: typeof own,
    clientId: string,
    act?: (bus: ReturnType<typeof createMqttMessageBus>) => Promise<boolean>,
  ): Promise<boolean> => {
    const bus = createMqttMessageBus({
      host: '127.0.0.1',
      serverName: 'localhost',
      port,
      tls,
      clientId,
      protocolVersion: 4,
    });
    let connected = false;
    bus.subscribeConnection((is) => {
      connected ||= is;
    });
    const isIn = await within(3_000, () => connected);
    const answer = isIn && act !== undefined ? await act(bus) : isIn;
    await bus.close();
    return answer;
  };
  await attempts.attempt(5, 'a certificate of the facility that the registry does not list', async () => {
    const isIn = await enters(unlisted, 'terminal-98');
    return { isIn, seen: isIn ? 'connected' : 'refused' };
  });
  await attempts.attempt(5, "a terminal's certificate under the agent's name", async () => {
    const isIn = await enters(own, 'agent-01');
    return { isIn, seen: isIn ? 'connected' : 'refused' };
  });
  await attempts.attempt(5, 'a terminal publishes what only the agent may (settings)', async () => {
    const heard = new Set<string>();
    const topic = topicOf('demo-clinic', 'terminal-01', 'settings');
    const isIn = await enters(own, 'terminal-01', async (bus) => {
      bus.subscribe(topic, ({ payload }) => heard.add(Buffer.from(payload).toString('latin1')));
      await bus.publish(topic, Buffer.from('forged'), { retain: true });
      return within(1_500, () => heard.has('forged'));
    });
    return { isIn, seen: isIn ? 'passed on' : 'not passed on' };
  });
  await attempts.attempt(
    5,
    'a terminal listens to what other terminals say (challenge-request of the facility)',
    async () => {
      let heard = 0;
      const isIn = await enters(own, 'terminal-01', async (bus) => {
        bus.subscribe(topicOf('demo-clinic', '+', 'state'), () => {
          heard += 1;
        });
        return within(1_500, () => heard > 0);
      });
      return { isIn, seen: `${heard} messages` };
    },
  );
  await attempts.attempt(35, '1,100 silent connections at the embedded broker', async () => {
    const held = await holdSilent(port, 1_100);
    const isIn = !(await handshake({ key: own.key, cert: own.certificate }));
    const open = held.filter((socket) => !socket.destroyed && socket.readyState === 'open').length;
    for (const socket of held) socket.destroy();
    return { isIn, seen: `${open} of 1100 held, terminal ${isIn ? 'kept out' : 'served'}` };
  });
};

export const attackSockets = async (attempts: Attempts, clinic: Clinic): Promise<void> => {
  const [link = '', , health = ''] = clinic.sockets;
  execFileSync('chmod', ['a+x', clinic.directory]);
  for (const [name, path] of [
    ['link', link],
    ['health socket', health],
  ] as const)
    await attempts.attempt(36, `another user at the ${name}`, async () => {
      const program = `require('node:net').connect(${JSON.stringify(path)}).on('connect',()=>process.exit(0)).on('error',()=>process.exit(3))`;
      const child = spawn(
        'setpriv',
        ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '-e', program],
        { stdio: 'ignore' },
      );
      const [code] = (await once(child, 'exit')) as [number | null];
      if (code !== 0 && code !== 3) throw new Error(`the other user could not try (${code})`);
      return { isIn: code === 0, seen: code === 0 ? 'connected' : 'refused' };
    });
  await attempts.attempt(36, 'nonsense at the link, then silence, sixty times', async () => {
    const held = Array.from({ length: 60 }, (_, index) => {
      const socket = connect(link);
      socket.on('error', () => socket.destroy());
      if (index % 2 === 0) socket.write(Buffer.alloc(64, index));
      return socket;
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    for (const socket of held) socket.destroy();
    const { dead, silent } = await isAlive(clinic);
    return { isIn: dead.length + silent.length > 0, seen: [...dead, ...silent].join(', ') || 'all listeners answer' };
  });
};
