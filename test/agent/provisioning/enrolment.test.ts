import { X509Certificate } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, request } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'uqr';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readDeviceRegistry } from '../../../src/agent/provisioning/agent-keys.ts';
import { parseCardTrust, readCardTrust, writeCardTrust } from '../../../src/agent/provisioning/card-trust.ts';
import {
  askForEnrolment,
  enrol,
  hasOffers,
  listenForEnrolments,
  offerEnrolment,
} from '../../../src/agent/provisioning/enrolment.ts';
import type { EnrolmentCode } from '../../../src/agent/provisioning/enrolment-code.ts';
import {
  answerSearch,
  answerSearches,
  askByLetters,
  EnrolmentRefused,
  newLetters,
  offerLetters,
  openOffers,
  qrText,
  readLetters,
  readQrText,
  searchClinics,
} from '../../../src/agent/provisioning/enrolment-letters.ts';
import {
  addAgent,
  createFacility,
  listDevices,
  readBrokerFiles,
  revokeDevice,
} from '../../../src/agent/provisioning/facility-authority.ts';
import { makeDeviceKeys } from '../../../src/agent/provisioning/make-device-keys.ts';
import { makeTestCardTrust } from '../../../src/agent/provisioning/test-card-trust.ts';
import { readQrPicture } from '../../../src/cli/await-enrolment.ts';

let folder: string;
let facility: string;
let terminal: string;
const hour = 3_600_000;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'uketsuke-enrolment-'));
  facility = join(folder, 'facility');
  terminal = join(folder, 'terminal');
  await createFacility(facility, { facility: 'clinic-0001', brokerNames: ['127.0.0.1'] });
  await addAgent(facility, 'agent-1');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const codeFor = async (device: string, port = 1): Promise<EnrolmentCode> => {
  const until = Date.now() + hour;
  const secret = await offerEnrolment(facility, { device, lane: 1, until });
  return {
    ...{ facility: 'clinic-0001', device, lane: 1, host: '127.0.0.1', enrolmentPort: port, brokerPort: 8883 },
    facilityCa: readFileSync(join(facility, 'facility-ca.pem'), 'utf8'),
    ...{ secret, until, test: true, acceptedModels: [] },
  };
};
const asked = async (code: EnrolmentCode, place = terminal, more: Record<string, unknown> = {}): Promise<string> =>
  JSON.stringify({ device: code.device, secret: code.secret, ...(await makeDeviceKeys(place)), ...more });

test.each(['terminal/signing-key.jwk.json', 'terminal/sealing-key.jwk.json', 'link/tls-key.pem'])(
  'a %s that was cut keeps no terminal from being enrolled again: it is set aside, the others stay',
  async (file) => {
    const before = await makeDeviceKeys(terminal);
    writeFileSync(join(terminal, file), 'cut off in th');
    const after = await makeDeviceKeys(terminal);
    expect(readFileSync(join(terminal, `${file}.unreadable`), 'utf8')).toBe('cut off in th');
    const changed = (['tlsKey', 'signingKey', 'sealingKey'] as const).filter(
      (key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
    );
    expect(changed).toHaveLength(1);
    expect(await makeDeviceKeys(terminal)).toEqual(after);
  },
);

test("over TLS: the terminal's own keys are certified and stay where they were made; the code serves the same keys again", async () => {
  const enrolled: string[] = [];
  const listener = await listenForEnrolments(facility, {}, { host: '127.0.0.1', port: 0 }, async (device) => {
    enrolled.push(device);
  });
  try {
    const code = await codeFor('terminal-01', listener.port);
    const keys = await makeDeviceKeys(terminal);
    const answer = await askForEnrolment(code, keys);
    const certificate = new X509Certificate(answer.tlsCertificate);
    expect(certificate.subject).toBe('CN=terminal-01');
    expect(certificate.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')).toBe(keys.tlsKey);
    expect(certificate.verify(new X509Certificate(answer.facilityCa).publicKey)).toBe(true);
    const [entry] = await listDevices(facility);
    expect(entry).toMatchObject({ device: 'terminal-01', signingKey: { kid: keys.signingKey.kid } });
    // Power lost before the answer was written: the same keys, the same answer.
    expect(await askForEnrolment(code, await makeDeviceKeys(terminal))).toEqual(answer);
    expect(await listDevices(facility)).toHaveLength(1);
    expect(enrolled).toEqual(['terminal-01', 'terminal-01']);
    const stranger = await makeDeviceKeys(join(folder, 'stranger'));
    await expect(askForEnrolment(code, stranger)).rejects.toThrow('other keys');
    // Whoever stands in for the clinic's PC has no certificate of the facility that the code names.
    await createFacility(join(folder, 'other'), { facility: 'clinic-0001', brokerNames: ['127.0.0.1'] });
    const foreignCa = readFileSync(join(folder, 'other/facility-ca.pem'), 'utf8');
    await expect(askForEnrolment({ ...code, facilityCa: foreignCa }, keys)).rejects.toThrow('is not reached');
  } finally {
    listener.close();
  }
});

test('no private key of the terminal is written at the clinic', async () => {
  const code = await codeFor('terminal-01');
  expect((await enrol(facility, await asked(code), Date.now(), {})).status).toBe(200);
  const secrets = ['link/tls-key.pem', 'terminal/signing-key.jwk.json', 'terminal/sealing-key.jwk.json'].map((name) => {
    const text = readFileSync(join(terminal, name), 'utf8');
    return /"d": "([^"]+)"/.exec(text)?.[1] ?? text.split('\n')[1] ?? '';
  });
  const written = readdirSync(facility, { recursive: true, encoding: 'utf8' })
    .map((name) => join(facility, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'utf8'))
    .join();
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(30);
    expect(written).not.toContain(secret);
  }
});

const noPoint = { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43), kid: 'A'.repeat(43) };

test.each([
  ['a wrong secret', { secret: 'AAAAAAAAAAAAAAAAAAAAAA' }, 0, 403],
  ['the code of another terminal', { device: 'terminal-02' }, 0, 403],
  ['a code past its time', {}, 2 * hour, 403],
  ['a key that is none', { signingKey: 'none' }, 0, 400],
  ['a key that is no point of the curve', { signingKey: noPoint }, 0, 400],
  ['a sealing key that is no point', { sealingKey: noPoint }, 0, 400],
  ['an attestation key that is no point', { attestationKey: noPoint }, 0, 400],
  ['a TLS key that is none', { tlsKey: 'AAAA' }, 0, 400],
])('%s is refused and enrols nobody', async (_what, more, laterMs, status) => {
  const code = await codeFor('terminal-01');
  const outcome = await enrol(facility, await asked(code, terminal, more), Date.now() + laterMs, {});
  expect(outcome.status).toBe(status);
  expect(await listDevices(facility)).toEqual([]);
});

test('a newer code of a terminal ends the older one; a revoked terminal is not let in again', async () => {
  const older = await asked(await codeFor('terminal-01'));
  const newer = await asked(await codeFor('terminal-01'));
  expect((await enrol(facility, older, Date.now(), {})).status).toBe(403);
  expect((await enrol(facility, newer, Date.now(), {})).status).toBe(200);
  await revokeDevice(facility, 'terminal-01');
  expect((await enrol(facility, newer, Date.now(), {})).status).toBe(409);
});

test('a terminal that lost its power at the last step is answered the same by the same code, however late, and nobody else is', async () => {
  const code = await codeFor('terminal-01');
  const ask = async (place: string, atMs: number, more: Record<string, unknown> = {}) =>
    enrol(facility, await asked(code, place, more), atMs, {});
  const first = await ask(terminal, Date.now());
  expect(first.status).toBe(200);
  // Half an hour later, when the code has long counted for nobody.
  expect(await ask(terminal, Date.now() + 2 * hour)).toEqual(first);
  expect((await ask(join(folder, 'stranger'), Date.now() + 2 * hour)).status).toBe(403);
  expect((await ask(join(folder, 'stranger'), Date.now())).status).toBe(409);
  expect((await ask(terminal, Date.now(), { secret: 'A'.repeat(22) })).status).toBe(403);
  await revokeDevice(facility, 'terminal-01');
  expect((await ask(terminal, Date.now() + 2 * hour)).status).toBe(403);
});

test("the clinic's PC that lost its power after the registry had its line answers all the same", async () => {
  const code = await codeFor('terminal-01');
  const first = await enrol(facility, await asked(code), Date.now(), {});
  rmSync(join(facility, 'devices/terminal-01/terminal/trust.json'));
  expect(await enrol(facility, await asked(code), Date.now(), {})).toEqual(first);
});

test('the listener still answers a terminal whose letters are used, and wrong guesses end with the codes they were made at', async () => {
  const listener = await listenForEnrolments(facility, {}, { host: '127.0.0.1', port: 0 }, async () => {});
  try {
    const code = await codeFor('terminal-01', listener.port);
    await offerLetters(facility, code);
    const keys = await makeDeviceKeys(terminal);
    const answer = await askForEnrolment(code, keys);
    expect(await openOffers(facility, Date.now())).toEqual([]);
    expect(await hasOffers(facility)).toBe(true);
    expect(await askForEnrolment(code, keys)).toEqual(answer);
    for (let guess = 0; guess < 20; guess += 1)
      await expect(askForEnrolment({ ...code, secret: 'A'.repeat(22) }, keys)).rejects.toThrow(EnrolmentRefused);
    await expect(askForEnrolment(code, keys)).rejects.toThrow('wrong or too old');
    // Somebody at the clinic's PC gives out another code.
    await codeFor('terminal-02', listener.port);
    expect(await askForEnrolment(code, keys)).toEqual(answer);
  } finally {
    listener.close();
  }
});

test('the key in its TPM is registered with the others, and no other takes its place afterwards', async () => {
  const code = await codeFor('terminal-01');
  const keyOf = async (name: string) => (await makeDeviceKeys(join(folder, name))).signingKey;
  const attestationKey = await keyOf('tpm');
  const outcome = (more: Record<string, unknown>) =>
    asked(code, terminal, more).then((body) => enrol(facility, body, Date.now(), {}));
  expect((await outcome({ attestationKey })).status).toBe(200);
  expect((await outcome({ attestationKey: await keyOf('another') })).status).toBe(409);
  expect((await outcome({})).status).toBe(409);
  expect(await listDevices(facility)).toMatchObject([{ device: 'terminal-01', attestationKey }]);
  const { attestation, signing } =
    (await readDeviceRegistry(join(facility, 'agents/agent-1'))).get('terminal-01') ?? {};
  expect(attestation).toMatchObject({ kept: 'tpm', kid: attestationKey.kid });
  expect(signing?.kid).not.toBe(attestationKey.kid);
});

test('silent connections keep no terminal from being enrolled for longer than a few seconds', async () => {
  const listener = await listenForEnrolments(facility, {}, { host: '127.0.0.1', port: 0 }, async () => {});
  const silent = Array.from({ length: 200 }, () => connect(listener.port, '127.0.0.1').on('error', () => {}));
  try {
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    const beganMs = performance.now();
    await askForEnrolment(await codeFor('terminal-01', listener.port), await makeDeviceKeys(terminal));
    expect(performance.now() - beganMs).toBeLessThan(30_000);
    await Promise.all(silent.map((socket) => (socket.destroyed ? null : once(socket, 'close'))));
  } finally {
    for (const socket of silent) socket.destroy();
    listener.close();
  }
});

test.each([
  ['ends in the middle of its answer', /is not reached \(aborted\)/],
  ['has a fault of its own', /answered 500/],
])(
  "a clinic's PC that %s is to be asked again: nobody waits for it for ever, and no code is called wrong",
  async (what, said) => {
    const { key, certificate } = await readBrokerFiles(facility);
    const server = createServer({ key, cert: certificate, minVersion: 'TLSv1.3' }, (asked, reply) => {
      asked.resume().on('end', () => {
        if (what === 'has a fault of its own') reply.writeHead(500).end();
        else reply.writeHead(200, { 'content-length': 5_000 }).write('{"tls', () => reply.destroy());
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const outcomes = await Promise.allSettled([
      askForEnrolment(await codeFor('terminal-01', port), await makeDeviceKeys(terminal)),
      askByLetters({ host: '127.0.0.1', port, letters: newLetters() }),
    ]);
    server.closeAllConnections();
    server.close();
    for (const outcome of outcomes) {
      const reason = outcome.status === 'rejected' ? outcome.reason : null;
      expect(reason).toBeInstanceOf(Error);
      expect(reason).not.toBeInstanceOf(EnrolmentRefused);
      expect(String(reason)).toMatch(said);
    }
  },
);

test('a search from no port, or from an address that takes no answer, ends nothing', async () => {
  const socket = createSocket('udp4');
  const errors: Error[] = [];
  socket.on('error', (error) => errors.push(error));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const asked = Buffer.from('uketsuke-enrolment?');
  answerSearch(socket, asked, { address: '127.0.0.1', port: 0 }, 8884);
  // The system refuses to send there (EACCES).
  answerSearch(socket, asked, { address: '255.255.255.255', port: 9 }, 8884);
  // Whoever asks properly is answered after them.
  const terminal = createSocket('udp4');
  terminal.bind(0, '127.0.0.1');
  await once(terminal, 'listening');
  const answered = once(terminal, 'message');
  answerSearch(socket, asked, { address: '127.0.0.1', port: terminal.address().port }, 8884);
  expect(String((await answered)[0])).toBe('{"port":8884}');
  expect(errors).toEqual([]);
  socket.close();
  terminal.close();
});

test('after twenty wrong secrets the listener answers nobody', async () => {
  const listener = await listenForEnrolments(facility, {}, { host: '127.0.0.1', port: 0 }, async () => {});
  try {
    const code = await codeFor('terminal-01', listener.port);
    const keys = await makeDeviceKeys(terminal);
    for (let guess = 0; guess < 20; guess += 1)
      await expect(askForEnrolment({ ...code, secret: 'A'.repeat(22) }, keys)).rejects.toThrow('wrong or too old');
    await expect(askForEnrolment(code, keys)).rejects.toThrow('wrong or too old');
    expect(await listDevices(facility)).toEqual([]);
  } finally {
    listener.close();
  }
});

test('a chain of test cards is known by its name', async () => {
  const { certificateIssuersPem, cvIssuersJson } = await makeTestCardTrust();
  expect(parseCardTrust(certificateIssuersPem, cvIssuersJson).isTest).toBe(true);
  const others = readFileSync(join(facility, 'facility-ca.pem'), 'utf8');
  expect(parseCardTrust(others, '[]').isTest).toBe(false);
  const testSigner = [
    {
      issuerId: Buffer.from('SOMEBODY-TEST-01').toString('hex').toUpperCase(),
      modulus: 'AB'.repeat(256),
      exponent: '010001',
    },
  ];
  expect(parseCardTrust(others, JSON.stringify(testSigner)).isTest).toBe(true);
});

test('an agent takes test cards only where somebody has said so', async () => {
  const trust = join(folder, 'card-trust');
  const chain = await makeTestCardTrust();
  await writeCardTrust(trust, chain);
  expect((await readCardTrust(trust)).isTest).toBe(true);
  // The anchors alone, as somebody would copy them by hand.
  const copied = join(folder, 'copied');
  mkdirSync(copied);
  for (const name of ['card-ca.pem', 'cv-issuers.json']) copyFileSync(join(trust, name), join(copied, name));
  await expect(readCardTrust(copied)).rejects.toThrow(/test cards.*refused/);
  // The real ones after a trial: what was said before does not stay.
  const others = {
    certificateIssuersPem: readFileSync(join(facility, 'facility-ca.pem'), 'utf8'),
    cvIssuersJson: '[]',
  };
  await writeCardTrust(trust, others);
  expect((await readCardTrust(trust)).isTest).toBe(false);
  writeFileSync(join(trust, 'card-ca.pem'), chain.certificateIssuersPem);
  await expect(readCardTrust(trust)).rejects.toThrow(/test cards/);
});

describe('eight letters', () => {
  const letteredListener = async () => {
    const listener = await listenForEnrolments(facility, {}, { host: '127.0.0.1', port: 0 }, async () => {});
    const letters = await offerLetters(facility, await codeFor('terminal-01', listener.port));
    return { ...listener, at: { host: '127.0.0.1', port: listener.port, letters } };
  };

  test('bring the code, once: afterwards they are nobody’s', async () => {
    const { at, close } = await letteredListener();
    try {
      const code = await askByLetters(at);
      expect(code).toMatchObject({ device: 'terminal-01', lane: 1, host: '127.0.0.1' });
      // Power lost here: the same letters serve until the terminal has its certificate.
      expect(await askByLetters(at)).toEqual(code);
      await askForEnrolment(code, await makeDeviceKeys(terminal));
      expect(await openOffers(facility, Date.now())).toEqual([]);
      await expect(askByLetters(at)).rejects.toThrow('wrong, used or too old');
    } finally {
      close();
    }
  });

  test('that are wrong bring nothing, and twenty wrong ones end the listener, for the right ones, too', async () => {
    const { at, close } = await letteredListener();
    try {
      for (let guess = 0; guess < 20; guess += 1)
        await expect(askByLetters({ ...at, letters: newLetters() })).rejects.toThrow('wrong, used or too old');
      await expect(askByLetters(at)).rejects.toThrow('wrong, used or too old');
    } finally {
      close();
    }
  });

  test('that are past their time bring nothing', async () => {
    const { at, close } = await letteredListener();
    try {
      await offerLetters(facility, { ...(await codeFor('terminal-02')), until: Date.now() - 1 });
      expect((await openOffers(facility, Date.now())).map(({ device }) => device)).toEqual(['terminal-01']);
      expect(await openOffers(facility, Date.now() + 2 * hour)).toEqual([]);
      expect(at.letters).toHaveLength(8);
    } finally {
      close();
    }
  });

  test('whoever sits between terminal and clinic fits neither', async () => {
    const { at, close } = await letteredListener();
    const { key, certificate } = await readBrokerFiles(facility);
    // Hands every question and answer through, in two TLS sessions: the proofs belong to one.
    const between = createServer({ key, cert: certificate }, (asked, reply) => {
      const through = request(
        {
          host: '127.0.0.1',
          port: at.port,
          path: asked.url,
          method: 'POST',
          headers: asked.headers,
          rejectUnauthorized: false,
        },
        (answer) => {
          reply.writeHead(answer.statusCode ?? 500);
          answer.pipe(reply);
        },
      );
      asked.pipe(through);
    });
    await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = between.address() as AddressInfo;
      await expect(askByLetters({ ...at, port })).rejects.toThrow('wrong, used or too old');
      expect((await askByLetters(at)).device).toBe('terminal-01');
    } finally {
      between.close();
      between.closeAllConnections();
      close();
    }
  });

  test('a stranger who answers without knowing them is not believed', async () => {
    const { key, certificate } = await readBrokerFiles(facility);
    const code = JSON.stringify(await codeFor('terminal-01'));
    const stranger = createServer({ key, cert: certificate }, (_asked, reply) =>
      reply.end(JSON.stringify({ code, proof: 'A'.repeat(43) })),
    );
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = stranger.address() as AddressInfo;
      await expect(askByLetters({ host: '127.0.0.1', port, letters: newLetters() })).rejects.toThrow('stands in');
    } finally {
      stranger.close();
      stranger.closeAllConnections();
    }
  });

  test('the clinic is found by asking the network, and by nothing else', async () => {
    const searches = await answerSearches(0, '127.0.0.1', 8884);
    expect(await searchClinics(searches.port, '127.0.0.1')).toEqual([{ host: '127.0.0.1', port: 8884 }]);
    searches.close();
  });

  test.each([
    ['abcd-efgh', 'ABCDEFGH'],
    [' k2mn 9xyz ', 'K2MN9XYZ'],
    ['ABCD-EFG', null],
    ['ABCD-EFG0', null],
  ])('%s is read as %s', (typed, letters) => {
    expect(readLetters(typed)).toBe(letters);
  });

  test('a QR code before the camera is read, whatever lies around it', async () => {
    const shown = { host: '192.168.1.10', port: 8884, letters: newLetters() };
    const [width, height, scale] = [640, 480, 6];
    const rgb = new Uint8Array(width * height * 3).fill(128);
    const { data, size } = encode(qrText(shown), { border: 4 });
    for (let y = 0; y < size * scale; y += 1)
      for (let x = 0; x < size * scale; x += 1) {
        const dark = data[Math.floor(y / scale)]?.[Math.floor(x / scale)] === true;
        rgb.fill(dark ? 20 : 235, ((y + 40) * width + x + 90) * 3, ((y + 40) * width + x + 91) * 3);
      }
    expect(readQrText((await readQrPicture(rgb, width, height)) ?? '')).toEqual(shown);
    expect(await readQrPicture(rgb.fill(128), width, height)).toBe(null);
    expect(readQrText('https://192.168.1.10/')).toBe(null);
  });
});
