import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openVisitBed, type VisitBed } from '../../scripts/beds/visit-bed.ts';
import { runTestVisit } from '../../src/agent/desk/order-test-visit.ts';
import { sign } from '../../src/trust/seal.ts';
import { testApprover } from '../../src/wire/messages.ts';

/** テスト受付: the whole way between terminal and agent, about nobody. */
let bed: VisitBed;
beforeEach(async () => {
  bed = await openVisitBed();
});
afterEach(() => bed.close());

const test = () => runTestVisit(bed.agent.context, (session) => bed.agent.desk.commands.testVisit('front-1', session));
const oqsFiles = () => ['face', 'req', 'res'].flatMap((name) => readdirSync(join(bed.agent.oqsFolder, name)));

it('order, challenge, signature, seal, journal, receipt, result: through; nothing counted, no file, no screen', async () => {
  const shown = bed.screen.shown.length;
  const asked: string[] = [];
  for (const name of ['lookup', 'register', 'check', 'inquire'] as const)
    bed.agent.context.service[name] = async () => {
      asked.push(name);
      throw new Error('nobody is asked');
    };
  expect(await test()).toMatchObject({ code: null, folderCode: null });
  expect(bed.visits()).toMatchObject([{ kind: 'test', verdict: 'accepted', outcome: 'tested', consents: {} }]);
  expect(bed.broker.passedOn('request')).toHaveLength(1);
  expect(bed.broker.passedOn('receipt')).toHaveLength(1);
  expect(bed.broker.passedOn('result')).toHaveLength(1);
  expect(bed.agent.journal.usage()).toEqual([]);
  expect(bed.agent.journal.unfinished()).toEqual([]);
  expect(bed.agent.journal.approvals()).toEqual([]);
  expect([asked, oqsFiles()]).toEqual([[], []]);
  expect(bed.screen.shown).toHaveLength(shown);
});

it('the next patient is served as ever, and a second test goes through', async () => {
  await test();
  await bed.insert('hanako');
  await bed.enterPin('1234');
  await bed.answerAll('agree');
  await bed.see('accepted');
  await bed.takeCard();
  expect(await test()).toMatchObject({ code: null });
  expect(bed.visits().map(({ kind }) => kind)).toEqual(['test', 'eligibility', 'test']);
  expect(bed.agent.journal.usage()).toMatchObject([{ kind: 'eligibility', times: 1 }]);
});

it('ordered once more while one is under way, as by the button when the clinic tests a new terminal: one after the other', async () => {
  const [first, second] = await Promise.all([test(), test()]);
  expect([first, second]).toMatchObject([{ code: null }, { code: null }]);
  expect(bed.visits()).toMatchObject([{ kind: 'test' }, { kind: 'test' }]);
});

it('the first hears nothing: an order that has had its time while it waited is not begun', async () => {
  bed.broker.tamper = (passing) => (passing.topic.endsWith('/receipt') ? [] : [passing]);
  const reports = Promise.all([test(), test(), test()]);
  for (let tens = 0; tens < 3; tens += 1) {
    await bed.agent.quiet();
    await bed.pass(10_001);
  }
  await bed.agent.quiet();
  expect(await reports).toMatchObject([{ confirmedMs: null }, { confirmedMs: null }, { confirmedMs: null }]);
  expect(bed.visits().map(({ kind }) => kind)).toEqual(['test', 'test']);
  bed.broker.tamper = (passing) => [passing];
  expect(await test()).toMatchObject({ code: null });
});

it('a patient is at the terminal: not now', async () => {
  await bed.insert('hanako');
  await bed.see('choose-method');
  expect(await test()).toMatchObject({ code: 'message.stale', journaledMs: null, confirmedMs: null });
  expect(bed.visits()).toEqual([]);
});

describe('tells where it stopped', () => {
  it('requests do not arrive', async () => {
    bed.broker.tamper = (passing) => (passing.topic.endsWith('/request') ? [] : [passing]);
    const report = test();
    await bed.agent.quiet();
    await bed.pass(10_001);
    await bed.agent.quiet();
    expect(await report).toMatchObject({ code: 'delivery.offline', journaledMs: null, confirmedMs: null });
  });

  it('answers do not arrive', async () => {
    bed.broker.tamper = (passing) => (passing.topic.endsWith('/receipt') ? [] : [passing]);
    const report = test();
    await bed.agent.quiet();
    await bed.pass(10_001);
    await bed.agent.quiet();
    expect(await report).toMatchObject({ code: 'delivery.offline', confirmedMs: null, journaledMs: 0 });
  });

  it('the folder for the レセコン is gone', async () => {
    rmSync(join(bed.agent.oqsFolder, 'face'), { recursive: true });
    expect(await test()).toMatchObject({ code: null, folderCode: 'files.folder-missing' });
  });
});

describe('the approval of a test', () => {
  const requestWith = async (kind: 'eligibility' | 'test', approver: string) => {
    const { keys } = bed.agent.context;
    const session = crypto.randomUUID();
    const at = bed.clock.now().wallMs;
    const approval = {
      ...{ facility: keys().facility, device: 'front-1', session, approver },
      ...{ approvedAt: at, expiresAt: at + 60_000 },
    };
    const staffApproval = new TextDecoder().decode(await sign('staff-approval', approval, keys().signing));
    const more = { kind, session, staffApproval, consents: [] };
    await bed.agent.request((await bed.agent.sign({ method: 'staff' }, more)).sealed, 'receipted');
    return bed.visits().at(-1);
  };

  it('lets no patient through', async () => {
    expect(await requestWith('eligibility', testApprover)).toMatchObject({
      verdict: 'refused',
      code: 'message.forged',
    });
  });
  it('is needed for a test: staff cannot make a visit uncounted', async () => {
    expect(await requestWith('test', 'nurse-1')).toMatchObject({ verdict: 'refused', code: 'message.forged' });
    // A refused test is counted as little as one that went through.
    expect(bed.agent.journal.usage()).toEqual([]);
  });
});
