import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { simulatedStartMs } from '../../scripts/beds/simulated-clock.ts';
import { openVisitBed, type VisitBed } from '../../scripts/beds/visit-bed.ts';
import { bannerView } from '../../src/agent/staff-page/banner-view.ts';
import type { PageModel } from '../../src/agent/staff-page/page-model.ts';
import { catalogueAt, catalogueDir } from '../../src/catalogue/load-catalogue.ts';

/*
 * A window of the catalogue's file, as an operator would write one from a notice: shown beforehand to patients and
 * staff, when its time comes and though nothing else happens, and gone when it is over. The window begins three hours after the bed's clock.
 */
let bed: VisitBed;
let dir = '';
const hourMs = 3_600_000;
const windowOf = (areas: readonly string[]) => ({
  areas,
  from: new Date(simulatedStartMs + 3 * hourMs).toISOString(),
  until: new Date(simulatedStartMs + 4 * hourMs).toISOString(),
  announceHours: 2,
});
const open = async (areas: readonly string[]): Promise<void> => {
  dir = mkdtempSync(join(tmpdir(), 'uketsuke-maintenance-'));
  cpSync(catalogueDir, dir, { recursive: true });
  const announced = { version: '2026-11-21.2', windows: [windowOf(areas)] };
  writeFileSync(join(dir, 'maintenance', 'announced.json'), JSON.stringify(announced));
  bed = await openVisitBed({ catalogueDir: dir });
  await bed.see('idle');
};
/** Hours later; challenges that ran out meanwhile are fetched anew before patients see the idle screen again. */
const hours = async (count: number): Promise<void> => {
  await bed.clock.advance(count * hourMs);
  for (let steps = 0; steps < 100 && bed.state.name !== 'idle'; steps += 1) {
    await bed.agent.quiet();
    await bed.clock.advance(1_000);
  }
  expect(bed.state.name).toBe('idle');
};
const staffSee = (): string =>
  bannerView({
    context: bed.agent.context,
    desk: bed.agent.desk,
    catalogue: () => catalogueAt(bed.clock.now().wallMs, dir),
    nowMs: () => bed.clock.now().wallMs,
    folderFaults: () => [],
    staffCodes: { guessed: () => [] },
    problems: () => [],
    certificates: { warnings: () => [] },
  } as unknown as PageModel).text;

beforeEach(() => {
  dir = '';
});
afterEach(async () => {
  await bed.close();
  rmSync(dir, { recursive: true, force: true });
});

it('a window of our area is shown to patients and staff, beforehand, while it lasts, and no longer', async () => {
  await open(['13', '14']);
  expect(bed.screen.now.note).toBeNull();
  expect(staffSee()).not.toContain('メンテナンス');
  await hours(0.9);
  expect(bed.screen.now.note).toBeNull();
  await hours(0.2);
  expect(bed.screen.now.note).toMatch(
    /^.+から.+まで、保険資格の確認システムが止まります。その間は受付の人にお声がけください。$/,
  );
  expect(staffSee()).toContain('オンライン資格確認のメンテナンス');
  await hours(2);
  expect(bed.screen.now.note).toMatch(/^いま、保険資格の確認システムが止まっています（.+まで）/);
  expect(staffSee()).toContain('オンライン資格確認のメンテナンス');
  await hours(1);
  expect(bed.screen.now.note).toBeNull();
  expect(staffSee()).not.toContain('メンテナンス');
});

it('a window of another area is nobody’s concern here', async () => {
  await open(['27']);
  // Announced by now, and then begun.
  for (const count of [1.1, 2]) {
    await hours(count);
    expect(bed.screen.now.note).toBeNull();
    expect(staffSee()).not.toContain('メンテナンス');
  }
});
