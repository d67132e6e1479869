import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { openVisitBed, type VisitBed } from '../../scripts/beds/visit-bed.ts';
import { noPageAfterMs } from '../../src/terminal/visit/page-watch.ts';

let bed: VisitBed;
beforeEach(async () => {
  bed = await openVisitBed({});
});
afterEach(() => bed.close());

/** What staff are told of the lane comes to be so. */
const staffHear = (code: string | undefined): Promise<void> =>
  until(`${code} at the desk`, () => bed.agent.desk.lanes.all()[0]?.state?.code === code);
const events = (part: string): readonly unknown[] =>
  bed.logLines.map((line) => JSON.parse(line)).filter((line) => line.part === part);

it('tells staff within 5 s that no browser shows the page, and that it is there again', async () => {
  bed.screen.page('disconnected');
  await bed.clock.advance(5_000);
  await staffHear('screen.no-page');
  expect(bed.light.shown).toBe('fault');
  bed.screen.page('connected');
  await staffHear(undefined);
  expect(bed.light.shown).toBe('ready');
  expect(events('screen')).toMatchObject([{ event: 'part.lost', code: 'screen.no-page' }, { event: 'part.found' }]);
});

it('says nothing of a page that loads itself anew', async () => {
  for (let times = 0; times < 5; times += 1) {
    bed.screen.page('disconnected');
    await bed.clock.advance(noPageAfterMs / 2);
    bed.screen.page('connected');
  }
  await staffHear(undefined);
  expect(events('screen')).toEqual([]);
});

it('is told while a visit goes on, too, which a keypad and the voice may finish', async () => {
  await bed.insert('hanako');
  await bed.see('choose-method');
  bed.screen.page('disconnected');
  await bed.clock.advance(noPageAfterMs);
  await staffHear('screen.no-page');
  expect(bed.state.name).toBe('choosingMethod');
});
