/**
 * Pictures of the staff page for the docs, on made-up visits and a made-up year: `scripts/node
 * scripts/screens/staff-page-pictures.ts [folder]`. Everything but the broker and the time is the real agent.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { chromium } from 'playwright-core';
import { personas } from '../../drivers/virtual/personas.ts';
import { monthOf } from '../../src/agent/journal/today-notes.ts';
import { readDeviceRegistry } from '../../src/agent/provisioning/agent-keys.ts';
import { addDevice } from '../../src/agent/provisioning/facility-authority.ts';
import { addStaffMember, readStaff } from '../../src/agent/staff-page/staff-codes.ts';
import { failure } from '../../src/core/failure.ts';
import { addMonths, japanDate, startOfJapanDay } from '../../src/core/japan-time.ts';
import { err } from '../../src/core/result.ts';
import type { StateMessage } from '../../src/wire/messages.ts';
import { topicOf } from '../../src/wire/topics.ts';
import { until } from '../beds/simulated-clock.ts';
import { openStaffPage } from '../beds/staff-page-bed.ts';
import { facility } from '../beds/test-facility.ts';
import { openVisitBed } from '../beds/visit-bed.ts';
import { chromiumFlags, chromiumPath } from './screens-browser.ts';

const folder = process.argv[2] ?? new URL('../../docs/pictures', import.meta.url).pathname;
mkdirSync(folder, { recursive: true });

const visits = await openVisitBed();
const bed = visits.agent;
const { directory, agentDirectory, registry } = bed.testFacility;
await addDevice(directory, 'front-3', 3);
for (const [device, entry] of await readDeviceRegistry(agentDirectory))
  (registry as Map<string, typeof entry>).set(device, entry);
const staffFile = join(directory, 'staff.json');
await addStaffMember(staffFile, { approver: 'nurse-1', label: '看護師 A' }, '1234');
const staff = await readStaff(staffFile);
const page = await openStaffPage(bed, staff);

const show = (lane: number, more: Partial<StateMessage>): void => {
  const device = `front-${lane}`;
  const state = {
    device,
    lane,
    version: '0.1.0',
    profile: 'demo',
    catalogueVersion: bed.catalogueVersion,
    since: bed.clock.now().wallMs - 3 * 60_000,
    ...more,
  };
  bed.broker.deliver(topicOf(facility, device, 'state'), new TextEncoder().encode(JSON.stringify(state)), true);
};
show(1, { status: 'busy', phase: 'askingConsent', session: crypto.randomUUID() });
show(2, { status: 'out-of-service', phase: 'outOfService', code: 'reader.lost' });
show(3, { status: 'busy', phase: 'awaitingStaffCheck', session: crypto.randomUUID(), code: 'face.not-matched' });
for (const persona of ['hanako', 'revoked', 'taro', 'near-expiry'])
  await bed.request((await bed.sign(await bed.pin(personas.get(persona)?.serial ?? ''))).sealed);
const own = {
  authCertificate: Buffer.from(await bed.certificate(personas.get('hanako')?.serial ?? '')).toString('base64url'),
};
await bed.request((await bed.sign(bed.face('19800217', '2'), own)).sealed);

const year = new DatabaseSync(bed.journalPath);
const count = year.prepare('INSERT INTO usage VALUES (?, 1, ?, ?, ?, ?, ?)');
/** Some instant of the month so many months ago. ms since 1970 */
const monthsAgo = (back: number): number =>
  startOfJapanDay(addMonths({ ...japanDate(bed.clock.now().wallMs), day: 1 }, -back));
for (let back = 1; back <= 11; back += 1) {
  const at = monthsAgo(back);
  for (const [method, times] of [
    ['face', 520 - 21 * back],
    ['pin', 160 - 6 * back],
    ['staff', 8],
  ] as const)
    count.run(monthOf(at), 'eligibility', method, 'eligible', '', times);
}
year.close();
bed.journal.setOfficialUsage(
  { month: monthOf(monthsAgo(1)), cardUses: 690, confirmations: 1_380 },
  bed.clock.now().wallMs,
);

const browser = await chromium.launch({ executablePath: chromiumPath, args: [...chromiumFlags, '--lang=ja'] });
const tab = await browser.newPage({ viewport: { width: 1280, height: 800 }, locale: 'ja-JP' });
const picture = async (path: string, name: string): Promise<void> => {
  await tab.goto(new URL(path, page.address).href);
  await tab.screenshot({ path: join(folder, name), fullPage: true });
  process.stdout.write(`${join(folder, name)}\n`);
};
await picture('/', 'staff-page.png');
await picture('/usage', 'usage-report.png');

// A bad morning: the national service is silent, the shared folder is gone, and somebody tries what still works.
const { service } = bed.context;
const check = service.check.bind(service);
service.check = async () => err(failure('eligibility.unavailable'));
for (const persona of ['hanako', 'taro', 'near-expiry'])
  await bed.requestInOutage((await bed.sign(await bed.pin(personas.get(persona)?.serial ?? ''))).sealed);
rmSync(join(bed.oqsFolder, 'face'), { recursive: true });
service.check = async (card, choices) =>
  card.certificateSerial === personas.get('hanako')?.serial
    ? check(card, choices)
    : err(failure('eligibility.unavailable'));
await bed.clock.advance(4 * 60_000);
await until('the fault of the folder', () => bed.desk.handOver.folderFault !== null);
show(1, { status: 'idle', phase: 'idle', since: bed.clock.now().wallMs - 60_000 });
show(3, { status: 'offline', since: bed.clock.now().wallMs - 60_000 });
const passing = setInterval(() => void bed.clock.advance(10), 10);
await tab.goto(page.address);
await tab.locator('[data-key="lane-front-1"] summary').click();
await tab.locator('[data-key="lane-front-1"]').getByText('テスト受付').click();
await tab.locator('.test-visit').waitFor();
clearInterval(passing);
await picture('/', 'staff-page-trouble.png');

await browser.close();
await page.close();
await visits.close();
