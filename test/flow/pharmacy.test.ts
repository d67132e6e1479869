import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { decodedOqs } from '../../scripts/beds/agent-bed.ts';
import { until } from '../../scripts/beds/simulated-clock.ts';
import { testSettings } from '../../scripts/beds/test-facility.ts';
import { openVisitBed, type VisitBed } from '../../scripts/beds/visit-bed.ts';
import { firstFacilitySettings } from '../../src/catalogue/first-settings.ts';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import type { FacilitySettings } from '../../src/wire/facility-settings.ts';

let bed: VisitBed;
afterEach(() => bed.close());

const { consents } = catalogueAt(Date.parse('2026-12-01T00:00:00Z'));
/** As provision leaves it, then 電子処方箋 switched on. */
const pharmacy: FacilitySettings = {
  ...firstFacilitySettings(consents, 'pharmacy', 'テスト薬局', '1342345678'),
  prescriptionUse: 1,
  padStrength: 'off',
};

/** All screens of the consent step of one visit, answered; on the way the prescriptions of these ids are chosen. */
const visit = async (chosen: readonly string[]): Promise<{ screens: string[]; offered: string[] }> => {
  const screens: string[] = [];
  let offered: string[] = [];
  await bed.insert('hanako');
  await bed.enterPin('1234');
  await bed.see('consent-bundle', 'consent-item');
  for (let turns = 0; turns < 20 && bed.state.name === 'askingConsent'; turns += 1) {
    const { screen, controls } = bed.screen.now;
    screens.push(screen);
    if (screen === 'waiting-prescriptions') {
      offered = controls.flatMap(({ id, value }) => (id === 'toggle-document' && value ? [value] : []));
      for (const id of chosen) bed.screen.touch('toggle-document', id);
    }
    const answers: Record<string, 'confirm' | 'next' | 'electronic'> = {
      summary: 'confirm',
      'waiting-prescriptions': 'next',
      'prescription-form': 'electronic',
    };
    bed.screen.touch(answers[screen] ?? 'agree');
  }
  await bed.see('accepted');
  return { screens, offered };
};

it('a 薬局 is offered the e-prescriptions that wait, never asked 電子 or 紙; what was chosen waits no longer', async () => {
  bed = await openVisitBed({ settings: pharmacy });
  const first = await visit(['rx-0002']);
  expect(first.screens).toContain('waiting-prescriptions');
  expect(first.screens).not.toContain('prescription-form');
  expect(first.offered).toEqual(['rx-0001', 'rx-0002']);
  await until('its file', () => bed.agent.files().length === 1);
  const [file = ''] = bed.agent.files();
  expect(decodedOqs(readFileSync(join(bed.agent.oqsFolder, 'face', file)))).not.toContain('PrescriptionIssueSelect');
  // Written down after the file.
  const notices = () => bed.agent.journal.todayNotes().get(bed.visits()[0]?.requestId ?? '')?.notices ?? [];
  await until('its note', () => notices().length > 0);
  expect(notices()).toContain('prescriptions-chosen:1');
  await bed.takeCard();
  expect((await visit([])).offered).toEqual(['rx-0001']);
});

it('a 薬局 without 電子処方箋 is offered nothing', async () => {
  bed = await openVisitBed({ settings: { ...pharmacy, prescriptionUse: 0 } });
  expect((await visit([])).screens).not.toContain('waiting-prescriptions');
});

it('a 医科 that issues them is asked 電子 or 紙, and its letters of referral are no prescriptions', async () => {
  bed = await openVisitBed({ settings: testSettings });
  await bed.insert('hanako');
  await bed.enterPin('1234');
  await bed.see('consent-bundle');
  const screens: string[] = [];
  for (let turns = 0; turns < 20 && bed.state.name === 'askingConsent'; turns += 1) {
    const { screen, controls } = bed.screen.now;
    screens.push(screen);
    if (screen === 'referral-documents')
      expect(controls.flatMap(({ id, value }) => (id === 'toggle-document' ? [value] : []))).toEqual(['doc-0001']);
    const answers: Record<string, 'confirm' | 'next' | 'paper' | 'use'> = {
      summary: 'confirm',
      'referral-documents': 'next',
      'prescription-form': 'paper',
      'medical-subsidy': 'use',
    };
    bed.screen.touch(answers[screen] ?? 'agree');
  }
  await bed.see('accepted');
  expect(screens).toContain('prescription-form');
  expect(screens).not.toContain('waiting-prescriptions');
});
