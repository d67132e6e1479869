import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createVirtualSpeaker } from '../../drivers/virtual/virtual-speaker.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { openStaffPage, pressOn } from '../../scripts/beds/staff-page-bed.ts';
import { openVisitBed, type VisitBed } from '../../scripts/beds/visit-bed.ts';
import { createMorningRound } from '../../src/agent/desk/morning-round.ts';
import { japanDate, startOfJapanDay } from '../../src/core/japan-time.ts';
import { dayMs, hourMs } from '../../src/core/time-units.ts';
import type { Inspection } from '../../src/terminal/visit/session-parts.ts';
import type { PartResult, TestedPart } from '../../src/wire/self-test-report.ts';
import { topicOf } from '../../src/wire/topics.ts';

/** 始業前点検: from the button of the staff page to the sheet that is printed; terminal, wire, agent and journal are real. */
let bed: VisitBed;
let found: Inspection;
/** What only looks at the machine has answered */
let looked: Promise<void>;
let heard: boolean | null;
const speaker = createVirtualSpeaker();
let page: Awaited<ReturnType<typeof openStaffPage>>;

beforeEach(async () => {
  found = {};
  looked = Promise.resolve();
  heard = null;
  bed = await openVisitBed({
    speaker,
    inspect: () => looked.then(() => found),
    microphone: {
      hears: async (_chime, play) => {
        play();
        return heard;
      },
    },
  });
  page = await openStaffPage(bed.agent, []);
  // The agent has heard which wire the terminal speaks.
  await until('the lane', () => bed.agent.desk.lanes.wireOf('front-1') > 1);
});
afterEach(async () => {
  await page.close();
  await bed.close();
});

const get = async (path: string): Promise<string> => (await fetch(new URL(path, page.address))).text();
const post = async (path: string, form: Record<string, string>): Promise<string> =>
  get(await pressOn(page.address, '/self-test', path, form));
const newest = () => bed.agent.journal.selfTests.newest('front-1');
const parts = (): Partial<Record<TestedPart, PartResult>> =>
  Object.fromEntries((newest()?.report?.parts ?? []).map((each) => [each.part, each]));
const begin = async (): Promise<string> => {
  const shown = await post('/self-test', {});
  await bed.agent.quiet();
  return shown;
};
const pressAll = (but: readonly number[] = []): void => {
  for (const key of [0x08, 0x0d, ...Array.from({ length: 10 }, (_, digit) => 0x30 + digit)])
    if (!but.includes(key)) bed.keypad.press(key);
};
/** Pictures come, and are watched for long enough. */
const show = async (...pictures: number[][]): Promise<void> => {
  for (const bytes of pictures) bed.face.say({ type: 'preview', jpeg: new Uint8Array(bytes) });
  await bed.pass(2_200);
};
/** Pictures come that change, the keys are pressed, the light has been looked at. */
const stand = async (but: readonly number[] = []): Promise<void> => {
  await show([1, 2, 3], [1, 2, 4]);
  pressAll(but);
  await bed.pass(70_000);
  await bed.agent.quiet();
};

it('button, terminal, every part, result on the page, answers of the receptionist, the sheet', async () => {
  expect(await begin()).toContain('点検を始めました');
  expect(await get('/self-test')).toContain('点検中');
  await stand();
  expect(newest()?.report?.byHand).toBe(true);
  expect(Object.values(parts()).map(({ part, outcome }) => [part, outcome])).toEqual([
    ['speaker', 'present'],
    ['keypad', 'good'],
    ['light', 'present'],
    ['camera', 'good'],
    ['reader', 'good'],
    ['line', 'good'],
    ['certificates', 'good'],
    ['clock', 'good'],
    ['disk', 'good'],
  ]);
  // The line was tried by a request of its own, about nobody.
  expect(bed.visits()).toMatchObject([{ kind: 'test', verdict: 'accepted', outcome: 'tested' }]);
  expect(bed.agent.journal.usage()).toEqual([]);
  const sheet = await get('/self-test');
  expect(sheet).toContain('音は聞こえましたか');
  expect(sheet).toContain('異常なし（人の確認が残っています）');
  expect(await post('/self-test-answer', { part: 'speaker', answer: 'yes' })).toContain('記録しました');
  const done = await post('/self-test-answer', { part: 'light', answer: 'no' });
  expect(parts()).toMatchObject({ speaker: { outcome: 'good' }, light: { outcome: 'failed', code: 'light.dark' } });
  // Whose fault and what to do, in the words of the one table, in Japanese.
  expect(done).toContain('表示灯はつながっていますが、光の変化が見えません');
  expect(done).toContain('【受付で対応】ケーブルを差し直し');
  expect(done).toContain('異常：表示灯');
  expect(done).toMatch(/\d{4}年\d+月\d+日 \d\d:\d\d に点検/);
  // An answer is given once.
  expect(await post('/self-test-answer', { part: 'light', answer: 'yes' })).toContain('記録できません');
});

it('what failed is named with its cause, whose it is and what to do', async () => {
  found = { reader: 'reader.lost', certificates: 'certificate.near-expiry', disk: 'disk.nearly-full' };
  heard = false;
  await begin();
  await stand([0x37]);
  expect(parts()).toMatchObject({
    speaker: { outcome: 'failed', code: 'speaker.silent' },
    keypad: { outcome: 'failed', code: 'keypad.key-dead', missing: ['7'] },
    reader: { outcome: 'failed', code: 'reader.lost' },
    certificates: { outcome: 'failed', code: 'certificate.near-expiry' },
    disk: { outcome: 'failed', code: 'disk.nearly-full' },
    camera: { outcome: 'good' },
  });
  const sheet = await get('/self-test');
  expect(sheet).toContain('反応がなかったキー：7');
  expect(sheet).toContain('受付を保存する場所の空きが 200 MB を切りました');
  expect(sheet).toMatch(/電子証明書（30日以上）<\/th>.*?【システム担当者】/s);
  expect(sheet).not.toContain('less than 200 MB');
});

it('no picture comes, the line is broken: both told, the rest is told all the same', async () => {
  bed.broker.tamper = (passing) => (passing.topic.endsWith('/request') ? [] : [passing]);
  await begin();
  pressAll();
  await bed.pass(70_000);
  await bed.agent.quiet();
  expect(parts()).toMatchObject({
    camera: { outcome: 'failed', code: 'camera.lost' },
    line: { outcome: 'failed', code: 'delivery.offline' },
    keypad: { outcome: 'good' },
  });
});

it('a camera that gives one picture again and again is told: frozen', async () => {
  await begin();
  await show([1, 2, 3], [1, 2, 3]);
  pressAll();
  await bed.pass(70_000);
  await bed.agent.quiet();
  expect(parts()).toMatchObject({ camera: { outcome: 'failed', code: 'camera.frozen' } });
});

describe('a patient comes first', () => {
  it('a card ends the test at once; the keys are the patient’s again, and none of them is told', async () => {
    await begin();
    bed.keypad.press(0x31);
    await bed.insert('hanako');
    await bed.see('choose-method');
    await bed.agent.quiet();
    expect(parts()).toMatchObject({ keypad: { outcome: 'skipped' }, camera: { outcome: 'skipped' } });
    await bed.enterPin('1234');
    await bed.answerAll('agree');
    await bed.see('accepted');
    expect(JSON.stringify(newest())).not.toMatch(/"[0-9]"/);
    expect(bed.light.shown).not.toBe('off');
  });

  it.each(['by hand', 'at the set time'])(
    'a card while the machine is still being looked at: nothing begins (%s)',
    async (how) => {
      const { promise, resolve: answer } = Promise.withResolvers<void>();
      looked = promise;
      await bed.agent.desk.commands.selfTest('front-1', how === 'by hand');
      await bed.insert('hanako');
      await bed.see('choose-method');
      await bed.agent.quiet();
      const chimes = speaker.chimes.length;
      const begun = [vi.spyOn(bed.face, 'start'), vi.spyOn(bed.light, 'show')];
      answer();
      await bed.pass(3_000);
      await bed.agent.quiet();
      expect(speaker.chimes).toHaveLength(chimes);
      for (const each of begun) expect(each).not.toHaveBeenCalled();
      expect(bed.visits()).toEqual([]);
      expect(Object.values(parts()).map(({ outcome }) => outcome)).toEqual(Array(9).fill('skipped'));
    },
  );

  it('while somebody is served there is no test', async () => {
    await bed.insert('hanako');
    await bed.see('choose-method');
    expect(await begin()).toContain('いまは点検できません');
    expect(newest()).toBeUndefined();
  });

  it('keys of a test ask nothing and choose nothing; afterwards they do again', async () => {
    const shown = bed.screen.shown.length;
    await begin();
    await stand();
    expect(bed.screen.shown).toHaveLength(shown);
    expect(bed.light.shown).toBe('ready');
    bed.keypad.press(0x31);
    expect(bed.screen.shown.length).toBeGreaterThan(shown);
  });
});

describe('テスト受付 ordered meanwhile', () => {
  const order = () => bed.agent.desk.commands.testVisit('front-1', crypto.randomUUID());

  it('waits for a test without anybody, which is short', async () => {
    await bed.agent.desk.commands.selfTest('front-1', false);
    const ordered = order();
    await bed.agent.quiet();
    await show([1], [2]);
    expect(await ordered).toMatchObject({ ok: true, value: { outcome: 'done' } });
    expect(parts()).toMatchObject({ camera: { outcome: 'good' }, line: { outcome: 'good' } });
    expect(bed.visits()).toHaveLength(2);
  });

  it('is refused at once while somebody presses keys, and when a patient came', async () => {
    await begin();
    expect(await order()).toMatchObject({ ok: true, value: { outcome: 'refused', code: 'message.stale' } });
    await stand();
    await bed.insert('hanako');
    expect(await order()).toMatchObject({ ok: true, value: { outcome: 'refused', code: 'message.stale' } });
  });
});

describe('replayed and foreign', () => {
  it('the same order again, and a report of it again: once', async () => {
    await begin();
    await stand();
    const kept = bed.agent.journal.selfTests.since('front-1', 0).length;
    const reports = bed.broker.passedOn('command-result');
    for (const { topic, payload } of [...bed.broker.passedOn('command'), ...reports])
      bed.broker.deliver(topic, payload);
    await bed.pass(70_000);
    await bed.agent.quiet();
    expect(bed.agent.journal.selfTests.since('front-1', 0)).toHaveLength(kept);
    expect(bed.visits()).toHaveLength(1);
  });
});

describe('at a set time, with nobody there', () => {
  const round = () => createMorningRound(bed.agent.context, bed.agent.desk, '07:00');
  const at = (hours: number, minutes = 0): number => {
    const { wallMs } = bed.clock.now();
    const seven = startOfJapanDay(japanDate(wallMs)) + (hours * 60 + minutes) * 60_000;
    return seven > wallMs ? seven - wallMs : seven + dayMs - wallMs;
  };
  const tested = () => bed.agent.journal.selfTests.since('front-1', 0);

  it('before it nothing; from then on once a day, silent and dark; keys and ears are left open', async () => {
    bed.clock.skip(at(6, 59));
    const look = round();
    look();
    await bed.agent.quiet();
    expect(tested()).toEqual([]);
    bed.clock.skip(60_000);
    // Challenges of the evening before have had their time: others are fetched.
    await bed.pass(30_000);
    const chimes = speaker.chimes.length;
    look();
    await bed.agent.quiet();
    await show([1], [2]);
    await bed.agent.quiet();
    expect(tested()).toMatchObject([{ report: { byHand: false } }]);
    expect(parts()).toMatchObject({
      speaker: { outcome: 'present' },
      keypad: { outcome: 'present' },
      camera: { outcome: 'good' },
      line: { outcome: 'good' },
    });
    // The bed's microphone cannot listen today: it asked for the sound once, and nobody else did.
    expect(speaker.chimes.length - chimes).toBe(1);
    bed.clock.skip(hourMs);
    look();
    await bed.agent.quiet();
    expect(tested()).toHaveLength(1);
    bed.clock.skip(dayMs);
    look();
    await bed.agent.quiet();
    expect(tested()).toHaveLength(2);
  });

  it('a test that a patient cut short is none: it is made once more, and once it went through the day is done', async () => {
    bed.clock.skip(at(7));
    await bed.pass(30_000);
    const look = round();
    look();
    await bed.agent.quiet();
    await bed.insert('hanako');
    await bed.see('choose-method');
    await bed.takeCard();
    await bed.agent.quiet();
    expect(parts()).toMatchObject({ camera: { outcome: 'skipped' } });
    await bed.pass(6 * 60_000);
    look();
    await bed.agent.quiet();
    await show([1], [2]);
    await bed.agent.quiet();
    expect(parts()).toMatchObject({ camera: { outcome: 'good' }, line: { outcome: 'good' } });
    await bed.pass(60_000);
    // Cut short by hand later: the morning's went through all the same.
    await begin();
    await bed.insert('hanako');
    await bed.see('choose-method');
    await bed.takeCard();
    await bed.pass(6 * 60_000);
    look();
    await bed.agent.quiet();
    expect(tested().map(({ report }) => report?.byHand)).toEqual([true, false, false]);
  });

  it('a patient is there: later', async () => {
    bed.clock.skip(at(9));
    await bed.insert('hanako');
    await bed.see('choose-method');
    const look = round();
    look();
    await bed.agent.quiet();
    expect(tested()).toEqual([]);
    await bed.takeCard();
    look();
    await bed.agent.quiet();
    expect(tested()).toHaveLength(1);
  });
});

describe('a terminal that is put away', () => {
  const offline = async (): Promise<void> => {
    const { state } = bed.agent.desk.lanes.all()[0] ?? {};
    const { device: facilityDevice } = bed.agent.testFacility;
    const will = new TextEncoder().encode(JSON.stringify({ ...state, status: 'offline' }));
    bed.broker.deliver(topicOf(facilityDevice.facility, 'front-1', 'state'), will);
    await bed.agent.quiet();
  };

  it('rings while it is thought to serve; put away it is silent, and on again it serves as ever', async () => {
    await offline();
    expect(await get('/')).toContain('data-attention="front-1');
    await post('/put-away', {});
    const quiet = await get('/');
    expect(quiet).not.toContain('data-attention="front-1');
    expect(quiet).toContain('しまってあります');
    expect(await get('/spare')).toContain('予備：1番');
    // Never tried out here: a spare that lies too long is told of, quietly.
    expect(quiet).toContain('3か月以上 点検していません');
    bed.agent.journal.selfTests.began('front-1', 1, bed.clock.now().wallMs - 89 * dayMs);
    expect(await get('/')).not.toContain('3か月以上');
    // Its power is on: it tells of itself, and nobody has to press anything.
    bed.broker.setConnected('front-1', false);
    bed.broker.setConnected('front-1', true);
    await bed.agent.quiet();
    expect(await get('/')).toContain('受付できます');
    await offline();
    await post('/take-out', {});
    expect(await get('/')).toContain('data-attention="front-1');
  });

  it('a terminal that nobody registered cannot be put away', async () => {
    await post('/put-away', { device: 'front-9' });
    expect(bed.agent.journal.selfTests.isAway('front-9')).toBe(false);
  });

  it('a broken one leads to the sheet of the spare', async () => {
    await offline();
    await post('/put-away', { device: 'front-2' });
    expect(await get('/')).toContain('href="/spare"');
  });
});
