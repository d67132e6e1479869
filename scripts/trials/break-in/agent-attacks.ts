import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { stringify } from 'yaml';
import { personas } from '../../../drivers/virtual/personas.ts';
import { newOneTimeSecret, oneTimeCode, stepAt } from '../../../src/agent/staff-page/one-time-code.ts';
import { addStaffMember } from '../../../src/agent/staff-page/staff-codes.ts';
import { toBase64url } from '../../../src/protocol/base64url.ts';
import { faceCard, pinCard, visualEvidence } from '../../beds/evidence-fixtures.ts';
import { RealAgent } from '../../beds/real-agent.ts';
import { testRequest, testSettings } from '../../beds/test-facility.ts';
import { within } from '../../beds/within.ts';
import { attackByDocuments, attackCodes, attackFiles } from './agent-sisters.ts';
import { type Attempts, hashOfFile } from './attempts.ts';

const serialOf = (persona: string): string => personas.get(persona)?.serial ?? '';
const session = '0190a5b2-1c2d-4e3f-8a4b-5c6d7e8f9a0b';
const main = new URL('../../../src/main.ts', import.meta.url).pathname;

const count = (journal: string, sql: string): number => {
  const database = new DatabaseSync(journal, { readOnly: true });
  try {
    return Number(Object.values(database.prepare(sql).get() ?? {})[0] ?? 0);
  } finally {
    database.close();
  }
};
const accepted = (journal: string): number => count(journal, "SELECT count(*) FROM request WHERE verdict = 'accepted'");

/** An approval of staff in the hand of an attacker's terminal: good once, for one card, in one session. */
const byApproval = async (attempts: Attempts, agent: RealAgent): Promise<void> => {
  await agent.state({ session });
  if (!(await within(10_000, async () => (await (await fetch(agent.ready.staffPage)).text()).includes(session))))
    throw new Error('the lane does not show the visit');
  await agent.order('/approve', { device: 'front-1', session, approver: 'nurse-1', staffCode: '2580' });
  const command = agent.commands.find((one) => one.command.name === 'approve-staff-check')?.command;
  if (command?.name !== 'approve-staff-check') throw new Error('no approval came');
  const use = async (persona: string, more = {}) =>
    agent.request(
      { method: 'staff' },
      {
        session,
        staffApproval: command.approval,
        consents: [],
        authCertificate: toBase64url(await agent.certificate(serialOf(persona))),
        ...more,
      },
    );
  if ((await use('hanako')) !== 'accepted') throw new Error('an honest use of the approval is refused');
  const rows = (): number => accepted(agent.ready.journal);
  const reuse = async (name: string, persona: string, more = {}): Promise<void> => {
    const before = rows();
    await attempts.attempt(31, name, async () => {
      const told = await use(persona, more);
      return { isIn: rows() > before, seen: `${told}, ${rows()} rows` };
    });
  };
  await reuse('the approval again, for the same card', 'hanako');
  for (const persona of ['taro', 'unregistered', 'near-expiry'])
    await reuse(`the approval for the card of ${persona}`, persona);
  await reuse('the approval without any card', 'hanako', { authCertificate: undefined });
  await reuse('the approval in another session', 'hanako', { session: crypto.randomUUID() });
  await agent.kill();
  await agent.start();
  await reuse('the approval after the agent was killed and started', 'hanako');
  await reuse('the approval for another card after a restart', 'taro');
};

/** Consents of other times; one person's face with another's certificate. */
const byRequest = async (attempts: Attempts, agent: RealAgent): Promise<void> => {
  const rows = (): number => accepted(agent.ready.journal);
  const time = async (name: string, at: number): Promise<void> =>
    attempts.attempt(34, name, async () => {
      const before = rows();
      const consents = testRequest({ issuedAt: Date.now() }).consents.map((consent) => ({ ...consent, at }));
      const told = await agent.request(pinCard(await agent.certificate(serialOf('hanako')), agent.keys.auth), {
        consents,
      });
      return { isIn: rows() > before, seen: told };
    });
  await time('a consent given in 2099', Date.UTC(2099, 5, 1));
  await time('a consent given tomorrow', Date.now() + 86_400_000);
  await time('a consent given in 1970', 0);

  for (const kind of ['registration', 'eligibility'] as const)
    await attempts.attempt(32, `${kind} with the face of one and the certificate of another`, async () => {
      const memory = join(agent.testFacility.agentDirectory, 'simulated-service.json');
      const before = hashOfFile(memory);
      const card = faceCard(visualEvidence(agent.keys.visual, { birthDate: '19800218', sex: '2' }), agent.keys.visual);
      const results = agent.results.length;
      const more = {
        kind,
        consents: [],
        authCertificate: toBase64url(await agent.certificate(serialOf('unregistered'))),
      };
      const told = await agent.request(card, more);
      await within(10_000, () => agent.results.length > results);
      const result = agent.results[results];
      const isIn = hashOfFile(memory) !== before || (result?.outcome !== 'failed' && told === 'accepted');
      return { isIn, seen: `${told}, ${result?.outcome}, service memory ${hashOfFile(memory)}` };
    });
};

/** Odd words about itself. */
const byState = async (attempts: Attempts, agent: RealAgent): Promise<void> => {
  for (const [name, more] of [
    ['a state since the year 287396', { since: 9_007_199_254_740_991 }],
    ['a state in a phase called constructor', { phase: 'constructor' }],
    ['a state with a script for a version', { version: '<script>alert(1)</script>' }],
    ['a state with a failure called __proto__.x', { code: '__proto__.x' }],
  ] as const)
    await attempts.attempt(34, name, async () => {
      await agent.state(more);
      await new Promise((resolve) => setTimeout(resolve, 200));
      const page = await fetch(agent.ready.staffPage);
      const text = await page.text();
      const isBlank =
        page.status !== 200 || !text.includes('1番') || !text.includes('2番') || text.includes('<script>alert');
      return { isIn: isBlank || !agent.isRunning, seen: `page ${page.status}, ${text.length} characters` };
    });
  await attempts.attempt(34, 'a state of another device on our topic', async () => {
    await agent.state({ device: 'front-2', code: 'camera.lost' });
    const text = await (await fetch(agent.ready.staffPage)).text();
    return { isIn: /2番[\s\S]*camera\.lost/.test(text), seen: `${text.length} characters` };
  });
};

/** Codes of staff, guessed at the page, over kills. */
const byGuessing = async (attempts: Attempts, agent: RealAgent): Promise<void> => {
  const approvals = (): number => count(agent.ready.journal, 'SELECT count(*) FROM approval');
  const before = approvals();
  const guess = (staffCode: string, oneTime = '') =>
    agent.order('/approve', { device: 'front-1', session, approver: 'nurse-1', staffCode, oneTimeCode: oneTime });
  await agent.state({ session });
  for (let wrong = 0; wrong < 5; wrong += 1) await guess(`no-${wrong}`);
  await attempts.attempt(33, 'the right code after five wrong ones', async () => {
    const page = await guess('2580');
    return { isIn: approvals() > before, seen: page.includes('入力を止めています') ? 'locked' : 'not locked' };
  });
  for (let restart = 1; restart <= 3; restart += 1) {
    await agent.kill();
    await agent.start();
    await agent.state({ session });
    await attempts.attempt(33, `the right code after kill ${restart}: the lock lives on the disk`, async () => {
      const page = await guess('2580');
      const told = page.includes('職員コードの誤りが続いています') ? 'staff are told' : 'nobody is told';
      return {
        isIn: approvals() > before || told === 'nobody is told',
        seen: `${approvals() - before} approvals, ${told}`,
      };
    });
  }
  const { agentDirectory } = agent.testFacility;
  writeFileSync(
    join(agentDirectory, 'agent.yaml'),
    stringify({ staffCodes: { minimumLength: 8, secondFactor: true } }),
  );
  const secret = newOneTimeSecret();
  await addStaffMember(
    join(agentDirectory, 'staff.json'),
    { approver: 'nurse-1', label: '看護師', oneTimeSecret: secret },
    '2580-2580',
  );
  await addStaffMember(join(agentDirectory, 'staff.json'), { approver: 'clerk-1', label: '受付' }, '0815');
  await agent.kill();
  await agent.start();
  await agent.state({ session });
  await attempts.attempt(33, 'the right long code without its one-time code', async () => {
    await guess('2580-2580');
    return { isIn: approvals() > before, seen: `${approvals() - before} approvals` };
  });
  const oneTime = oneTimeCode(secret, stepAt(Date.now()));
  await guess('2580-2580', oneTime);
  const honest = approvals();
  if (honest !== before + 1) throw new Error('both factors let nobody in');
  await attempts.attempt(33, 'the same one-time code once more', async () => {
    await guess('2580-2580', oneTime);
    return { isIn: approvals() > honest, seen: `${approvals() - honest} approvals` };
  });
  await attempts.attempt(33, 'a code of four digits where eight are asked for', async () => {
    await agent.order('/approve', { device: 'front-1', session, approver: 'clerk-1', staffCode: '0815' });
    return { isIn: approvals() > honest, seen: `${approvals() - honest} approvals` };
  });
};

/** Where others write, and where keys lie. */
const byPlace = async (attempts: Attempts, agent: RealAgent): Promise<void> => {
  const { agentDirectory, directory } = agent.testFacility;
  const start = (...args: string[]) =>
    spawnSync(
      process.execPath,
      [main, 'agent', '--dir', agentDirectory, '--staff-port', '0', '--broker', '127.0.0.1:1', ...args],
      { encoding: 'utf8', timeout: 30_000 },
    );
  for (const [name, shared] of [
    ["the agent's own directory as the shared folder", agentDirectory],
    ["the facility's directory as the shared folder", directory],
  ] as const)
    await attempts.attempt(30, name, async () => {
      const done = start('--oqs-dir', shared);
      return { isIn: !done.stderr.includes('files.folder-holds-keys'), seen: done.stderr.trim().slice(0, 60) };
    });
  const facility = agent.makeFolder('by-command');
  const made = join(facility, 'clinic');
  const provisioned = spawnSync(
    process.execPath,
    [
      main,
      'provision',
      '--dir',
      made,
      '--facility',
      'clinic-7',
      '--name',
      'x',
      '--institution-code',
      '1312345678',
      '--kind',
      'medical',
    ],
    { encoding: 'utf8' },
  );
  if (provisioned.status !== 0) throw new Error(provisioned.stderr);
  const registry = join(made, 'devices.json');
  await attempts.attempt(37, "the CA's key on the disk of the clinic's PC", async () => {
    const clear = existsSync(join(made, 'facility-ca-key.pem'));
    return { isIn: clear, seen: hashOfFile(join(made, 'facility-ca-key.jwe')) };
  });
  writeFileSync(join(facility, 'wrong'), 'aaaaa-bbbbb-ccccc-ddddd-eeeee');
  for (const [name, more] of [
    ['a terminal of our own without the passphrase', []],
    ['a terminal of our own with a guessed passphrase', ['--ca-passphrase-file', join(facility, 'wrong')]],
  ] as const)
    await attempts.attempt(37, name, async () => {
      const before = hashOfFile(registry);
      const done = spawnSync(
        process.execPath,
        [main, 'agent', 'device', 'add', 'terminal-66', '--lane', '66', '--facility-dir', made, ...more],
        { encoding: 'utf8' },
      );
      return { isIn: hashOfFile(registry) !== before || done.status === 0, seen: hashOfFile(registry) };
    });
  await attempts.attempt(37, 'a terminal of our own with the passphrase read out of the files', async () => {
    const { caPassphrase } = JSON.parse(provisioned.stdout) as { caPassphrase: string };
    const found = spawnSync('grep', ['-rlF', caPassphrase, made], { encoding: 'utf8' }).stdout;
    return { isIn: found !== '', seen: found === '' ? '0 files' : found };
  });
};

/** Everything against an agent that is killed in between. Answers how often it ended by itself. */
export const attackAgent = async (attempts: Attempts): Promise<number> => {
  const agent = await RealAgent.provision();
  let crashes = 0;
  try {
    await agent.start();
    for (const attack of [byApproval, byRequest, byState]) await attack(attempts, agent);
    await attackByDocuments(attempts, agent);
    if (!agent.isRunning) crashes += 1;
    await byGuessing(attempts, agent);
    if (!agent.isRunning) crashes += 1;
    const settings = readFileSync(join(agent.testFacility.agentDirectory, 'facility-settings.yaml'), 'utf8');
    if (!settings.includes(testSettings.facilityName)) throw new Error('settings were changed');
    await byPlace(attempts, agent);
    await attackFiles(attempts, agent);
    return crashes;
  } finally {
    await agent.close();
  }
};

/** Codes and the journal they are counted in, at an agent of its own: the journal is deleted there. */
export const attackCodesOfAnother = async (attempts: Attempts): Promise<number> => {
  const agent = await RealAgent.provision();
  try {
    await agent.start();
    await attackCodes(attempts, agent);
    return agent.isRunning ? 0 : 1;
  } finally {
    await agent.close();
  }
};
