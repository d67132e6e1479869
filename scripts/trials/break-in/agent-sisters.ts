import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { personas } from '../../../drivers/virtual/personas.ts';
import { toBase64url } from '../../../src/protocol/base64url.ts';
import { sign } from '../../../src/trust/seal.ts';
import { faceCard, pinCard, visualEvidence } from '../../beds/evidence-fixtures.ts';
import type { RealAgent } from '../../beds/real-agent.ts';
import { facility, testRequest } from '../../beds/test-facility.ts';
import { within } from '../../beds/within.ts';
import { type Attempts, hashOfFile } from './attempts.ts';

const main = new URL('../../../src/main.ts', import.meta.url).pathname;
const count = (journal: string, sql: string): number => {
  const database = new DatabaseSync(journal, { readOnly: true });
  try {
    return Number(Object.values(database.prepare(sql).get() ?? {})[0] ?? 0);
  } finally {
    database.close();
  }
};

/** Documents that must leave no accepted row behind. */
const refusals = (attempts: Attempts, agent: RealAgent) => {
  const accepted = (): number => count(agent.ready.journal, "SELECT count(*) FROM request WHERE verdict = 'accepted'");
  return (threat: number, name: string, send: () => Promise<string>): Promise<void> =>
    attempts.attempt(threat, name, async () => {
      const before = accepted();
      const told = await send();
      return { isIn: accepted() > before || !agent.isRunning, seen: `${told}, ${accepted() - before} rows` };
    });
};

const attackByApprovals = async (attempts: Attempts, agent: RealAgent, certificate: Uint8Array): Promise<void> => {
  const keys = agent.testFacility.device;
  const refused = refusals(attempts, agent);
  const approve = (by: typeof keys.signing, more: object = {}): Promise<string> => {
    const approvedAt = Date.now();
    const said = {
      facility,
      device: 'front-1',
      session,
      approver: 'nurse-1',
      approvedAt,
      expiresAt: approvedAt + 600_000,
      ...more,
    };
    return sign('staff-approval', said, by).then((bytes) => new TextDecoder().decode(bytes));
  };
  const session = randomUUID();
  const byStaff = async (approval: string, more: object = {}): Promise<string> =>
    agent.request(
      { method: 'staff' },
      { session, staffApproval: approval, consents: [], authCertificate: toBase64url(certificate), ...more },
    );
  await refused(31, 'an approval signed by the terminal itself', async () => byStaff(await approve(keys.signing)));
  await refused(31, 'an approval without a signature (alg none)', async () => {
    const [, payload] = (await approve(keys.signing)).split('.');
    const header = Buffer.from('{"alg":"none","typ":"uketsuke-staff-approval"}').toString('base64url');
    return byStaff(`${header}.${payload}.`);
  });
  await refused(31, "the approval of a test visit for a patient's visit", async () => {
    const before = agent.commands.length;
    void agent.order('/test-visit', { device: 'front-1' });
    await within(10_000, () => agent.commands.slice(before).some(({ command }) => command.name === 'test-visit'));
    const order = agent.commands.slice(before).find(({ command }) => command.name === 'test-visit')?.command;
    if (order?.name !== 'test-visit') throw new Error('no test visit was ordered');
    return byStaff(order.approval, { session: order.session });
  });
  await attempts.attempt(
    35,
    '400 questions for challenges: no more are kept, and an honest visit goes through',
    async () => {
      for (let index = 0; index < 400; index += 1) {
        const question = {
          facility,
          device: 'front-1',
          challengeRequestId: randomUUID(),
          requestedAt: Date.now(),
          wanted: 4,
        };
        await agent.publish('challenge-request', await sign('challenge-request', question, keys.signing));
      }
      // The answers to all of them are on their way; the oldest challenges count no more.
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      const told = await agent.request(pinCard(certificate, agent.keys.auth), { session: randomUUID() });
      const open = count(agent.ready.journal, 'SELECT count(*) FROM challenge');
      return { isIn: told !== 'accepted' || open > 100, seen: `${told}, ${open} kept` };
    },
  );
};

/** A terminal in the attacker's hand: what its own signature may and may not say. */
export const attackByDocuments = async (attempts: Attempts, agent: RealAgent): Promise<void> => {
  const certificate = await agent.certificate(personas.get('hanako')?.serial ?? '');
  const pin = () => pinCard(certificate, agent.keys.auth);
  const refused = refusals(attempts, agent);
  const byPin = (more: Parameters<RealAgent['request']>[1]) => () => agent.request(pin(), more);
  await refused(34, 'a request signed in 2099', byPin({ issuedAt: Date.UTC(2099, 1, 1), consents: [] }));
  await refused(34, 'a request good until 2100', byPin({ issuedAt: 0, expiresAt: 4_102_444_800_000, consents: [] }));
  await refused(4, 'a request with a challenge of our own', byPin({ challenge: 'A'.repeat(43) }));
  await refused(5, "a request for another lane's device", byPin({ device: 'front-2', lane: 2 }));
  await refused(5, 'a request with the lane of another', byPin({ lane: 2 }));
  await refused(9, 'a consent with a text that nobody was shown', async () => {
    const [consent] = testRequest({ issuedAt: Date.now() }).consents;
    if (consent === undefined) throw new Error('no consent');
    return agent.request(pin(), { consents: [{ ...consent, textHash: 'A'.repeat(43) }] });
  });
  await refused(28, 'the certificate of one card, signed by another', async () => {
    const other = await agent.certificate(personas.get('taro')?.serial ?? '');
    return agent.request(pinCard(certificate, agent.keys.auth), { authCertificate: toBase64url(other) });
  });
  const face = (visual: ReturnType<typeof visualEvidence>) => () =>
    agent.request(faceCard(visual, agent.keys.visual), { authCertificate: toBase64url(certificate) });
  await refused(
    28,
    'a face request whose 券面 was signed by the attacker',
    face(visualEvidence(agent.keys.visual, { signer: agent.keys.auth })),
  );
  const genuine = visualEvidence(agent.keys.visual);
  const { df22 } = visualEvidence(agent.keys.visual, { birthDate: '19900101' });
  await refused(28, 'a face request with another birth date in a genuine 券面', face({ ...genuine, df22 }));
  await attackByApprovals(attempts, agent, certificate);
};

/** Staff codes by other ways than one guess after the other. */
export const attackCodes = async (attempts: Attempts, agent: RealAgent): Promise<void> => {
  const approvals = (): number => count(agent.ready.journal, 'SELECT count(*) FROM approval');
  const session = randomUUID();
  const guess = (approver: string, staffCode: string) =>
    agent.order('/approve', { device: 'front-1', session, approver, staffCode });
  await agent.state({ session });
  await attempts.attempt(33, 'thirty codes at once, the right one among the last', async () => {
    const before = approvals();
    const codes = Array.from({ length: 30 }, (_, index) => (index === 29 ? '2580' : `99${10 + index}`));
    await Promise.all(codes.map((code) => guess('nurse-1', code)));
    return { isIn: approvals() > before, seen: `${approvals() - before} approvals` };
  });
  await attempts.attempt(
    33,
    'the locked name in other letters (full width, capitals, blanks, look-alikes)',
    async () => {
      const before = approvals();
      for (const name of [
        'NURSE-1',
        'nurse-1 ',
        ' nurse-1',
        'ｎｕｒｓｅ-1',
        'nurse‐1',
        'nurѕe-1',
        'nurse-1\0',
        'nurse-1\n',
        '__proto__',
      ])
        await guess(name, '2580');
      return { isIn: approvals() > before, seen: `${approvals() - before} approvals` };
    },
  );
  await attempts.attempt(33, 'the right code twice in one form, once for a name that is not locked', async () => {
    const before = approvals();
    const page = await (await fetch(agent.ready.staffPage)).text();
    const token = /name="token" value="([^"]+)"/.exec(page)?.[1] ?? '';
    const body = new URLSearchParams([
      ['token', token],
      ['device', 'front-1'],
      ['session', session],
      ['approver', 'x'],
      ['approver', 'nurse-1'],
      ['staffCode', '2580'],
      ['staffCode', '2580'],
    ]);
    const origin = agent.ready.staffPage.slice(0, -1);
    await fetch(new URL('/approve', agent.ready.staffPage), { method: 'POST', headers: { origin }, body });
    return { isIn: approvals() > before, seen: `${approvals() - before} approvals` };
  });
  await attempts.attempt(33, 'the lock’s journal deleted, the agent killed and started', async () => {
    const { journal } = agent.ready;
    await agent.kill();
    const folder = join(journal, '..');
    for (const name of readdirSync(folder)) if (join(folder, name).startsWith(journal)) rmSync(join(folder, name));
    await agent.start();
    await agent.state({ session });
    const page = await guess('nurse-1', '2580');
    return { isIn: approvals() > 0, seen: /違います|止めています/.test(page) ? 'refused' : `${approvals()} approvals` };
  });
};

const attackTrees = async (attempts: Attempts, folder: string): Promise<void> => {
  const tree = join(folder, 'tree');
  const attest = (...args: string[]) =>
    spawnSync(process.execPath, [main, 'attest', '--tree', tree, ...args], { encoding: 'utf8' });
  const altered = async (name: string, alter: () => void): Promise<void> => {
    rmSync(tree, { recursive: true, force: true });
    mkdirSync(join(tree, 'node_modules/x'), { recursive: true });
    writeFileSync(join(tree, 'node_modules/x/index.js'), '');
    cpSync(main, join(tree, 'main.ts'));
    if (attest('--seal').status !== 0) throw new Error('the tree was not sealed');
    await attempts.attempt(40, name, async () => {
      alter();
      const done = attest('--config', join(folder, 'none.yaml'));
      return { isIn: !done.stderr.includes('not signed: altered'), seen: done.stderr.trim().slice(0, 70) };
    });
  };
  await altered('a program below a folder called docs', () => {
    mkdirSync(join(tree, 'node_modules/x/docs'));
    writeFileSync(join(tree, 'node_modules/x/docs/index.js'), 'evil()');
  });
  await altered('a hidden file, and one called like the list of files below another folder', () => {
    writeFileSync(join(tree, 'node_modules/x/release-files.json'), '{}');
  });
  await altered('a folder that is a link to the same files elsewhere', () => {
    cpSync(join(tree, 'node_modules'), join(folder, 'elsewhere'), { recursive: true });
    rmSync(join(tree, 'node_modules'), { recursive: true });
    symlinkSync(join(folder, 'elsewhere'), join(tree, 'node_modules'));
  });
};

/** Keys and files beside the agent, by somebody who can write there but has no passphrase. */
export const attackFiles = async (attempts: Attempts, agent: RealAgent): Promise<void> => {
  const folder = agent.makeFolder('sisters');
  const made = join(folder, 'clinic');
  const asked = ['--facility', 'clinic-8', '--name', 'x', '--institution-code', '1312345678', '--kind', 'medical'];
  const provisioned = spawnSync(process.execPath, [main, 'provision', '--dir', made, ...asked], { encoding: 'utf8' });
  if (provisioned.status !== 0) throw new Error(provisioned.stderr);
  const { caPassphrase } = JSON.parse(provisioned.stdout) as { caPassphrase: string };
  const [key, registry, right] = [join(made, 'facility-ca-key.jwe'), join(made, 'devices.json'), join(folder, 'right')];
  writeFileSync(right, caPassphrase);
  const add = (device: string, file = right) =>
    spawnSync(
      process.execPath,
      [main, 'agent', 'device', 'add', device, '--lane', '9', '--facility-dir', made, '--ca-passphrase-file', file],
      { encoding: 'utf8', timeout: 60_000 },
    );
  const good = readFileSync(key, 'utf8');
  const withHeader = (change: (header: Record<string, unknown>) => void): string => {
    const [head = '', ...rest] = good.trim().split('.');
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>;
    change(header);
    return [Buffer.from(JSON.stringify(header)).toString('base64url'), ...rest].join('.');
  };
  for (const [name, text] of [
    [
      'two thousand million turns before its passphrase is known to be wrong',
      withHeader((header) => {
        header.p2c = 2_000_000_000;
      }),
    ],
    [
      'one turn',
      withHeader((header) => {
        header.p2c = 1;
      }),
    ],
    [
      'a weaker wrapping',
      withHeader((header) => {
        header.alg = 'PBES2-HS256+A128KW';
      }),
    ],
    ['no key at all', 'x'],
  ] as const)
    await attempts.attempt(37, `the facility's key file with ${name}`, async () => {
      const before = hashOfFile(registry);
      writeFileSync(key, text);
      const begunMs = performance.now();
      const done = add('terminal-09');
      const ms = Math.round(performance.now() - begunMs);
      writeFileSync(key, good);
      return {
        isIn: hashOfFile(registry) !== before || done.status === 0 || ms > 30_000,
        seen: `${done.status}, ${ms} ms`,
      };
    });
  await attempts.attempt(37, 'a file of a passphrase that is a link to /dev/zero', async () => {
    const before = hashOfFile(registry);
    symlinkSync('/dev/zero', join(folder, 'zero'));
    const done = add('terminal-09', join(folder, 'zero'));
    return { isIn: hashOfFile(registry) !== before || done.status === null, seen: done.status ?? 'hung' };
  });
  await attackTrees(attempts, folder);
};
