import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { personas } from '../../../drivers/virtual/personas.ts';
import { type AgentBed, makeAgentBed } from '../../../scripts/beds/agent-bed.ts';
import { until } from '../../../scripts/beds/simulated-clock.ts';
import { pageModelOf } from '../../../scripts/beds/staff-page-bed.ts';
import { visitsView } from '../../../src/agent/staff-page/visits-view.ts';
import { dayAndTimeText } from '../../../src/agent/staff-page/words.ts';

let bed: AgentBed;
beforeEach(async () => {
  bed = await makeAgentBed();
});
afterEach(() => bed.close());

const shown = (): string => visitsView(pageModelOf(bed)).text;
/** A visit whose file waits for its folder. */
const waitingVisit = async (): Promise<string> => {
  rmSync(join(bed.oqsFolder, 'face'), { recursive: true });
  await bed.request((await bed.sign(await bed.pin(personas.get('hanako')?.serial ?? ''))).sealed);
  bed.restart();
  return dayAndTimeText(bed.clock.now().wallMs);
};

test('a file that was given up a day later is told on the day on which that happens', async () => {
  const received = await waitingVisit();
  await bed.clock.advance(bed.options.personalLifeMs + 1);
  bed.desk.handOver.sweep();
  expect(shown()).toContain('番号で照会するか、もう一度カードで受付してください');
  expect(shown()).toContain(received);
  await bed.clock.advance(2 * bed.options.personalLifeMs);
  bed.desk.handOver.sweep();
  expect(shown()).toContain('今日の受付はまだありません');
});

test('a file of the day before waits before the eyes of staff, and what is to be known of it is told as it comes', async () => {
  const received = await waitingVisit();
  await bed.clock.advance(bed.options.personalLifeMs - 3_600_000);
  expect(shown()).toContain(received);
  expect(shown()).toContain('レセコン用ファイルの書込み待ち');
  mkdirSync(join(bed.oqsFolder, 'face'));
  bed.desk.handOver.resume();
  await until('the file', () => bed.journal.visits()[0]?.handedOverAt !== null);
  expect(shown()).toContain(received);
  expect(shown()).not.toContain('書込み待ち');
});
