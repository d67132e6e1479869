import { describe, expect, it } from 'vitest';
import { isAnnounced, type MaintenanceWindow, nextAnnouncementMs } from '../../../src/core/catalogue/catalogue.ts';
import { type DeskOrder, deskSteps } from '../../../src/core/catalogue/desk-order.ts';

const window = (more: Partial<MaintenanceWindow> = {}): MaintenanceWindow => ({
  ...{ areas: [], fromMs: 1_000, untilMs: 2_000, announceMs: 300 },
  ...more,
});

describe('an interruption that was announced', () => {
  it('is shown from its announcement to the moment before its end', () => {
    const shown = [699, 700, 999, 1_000, 1_999, 2_000].map((atMs) => isAnnounced(window(), '13', atMs));
    expect(shown).toEqual([false, true, true, true, true, false]);
  });

  it('is for its areas, or for the whole country where it names none', () => {
    expect(['13', '27', '01'].map((area) => isAnnounced(window({ areas: ['13', '27'] }), area, 1_500))).toEqual([
      ...[true, true, false],
    ]);
    expect(isAnnounced(window(), '01', 1_500)).toBe(true);
  });

  it('changes what is shown when it is announced, begins and ends, the soonest of all of them first', () => {
    const windows = [window(), window({ fromMs: 1_500, untilMs: 1_800, announceMs: 100 })];
    const changes: number[] = [];
    for (let atMs = 0; atMs !== Number.POSITIVE_INFINITY; atMs = nextAnnouncementMs(windows, atMs)) changes.push(atMs);
    expect(changes).toEqual([0, 700, 1_000, 1_400, 1_500, 1_800, 2_000]);
    expect(nextAnnouncementMs([], 0)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('what the desk does when a card cannot be checked', () => {
  const step = (id: string, needs: DeskOrder['steps'][number]['needs']) => ({ id, needs, name: id, text: id });
  const order = {
    steps: [
      ...[step('ask', 'nothing'), step('call', 'national-outage'), step('app', 'qualification-app')],
      ...[step('home', 'home-consent'), step('later', 'nothing')],
    ],
  } as unknown as DeskOrder;
  const nowhere = { homeConsent: false, qualificationApp: false, nationalOutage: false };
  const idsAt = (situation: Partial<typeof nowhere>) =>
    deskSteps(order, { ...nowhere, ...situation }).map(({ id }) => id);

  it('is what this facility has the means for, in the official order', () => {
    expect(idsAt({})).toEqual(['ask', 'later']);
    expect(idsAt({ homeConsent: true })).toEqual(['ask', 'home', 'later']);
    expect(idsAt({ qualificationApp: true })).toEqual(['ask', 'app', 'later']);
    expect(idsAt({ nationalOutage: true })).toEqual(['ask', 'call', 'later']);
    expect(idsAt({ homeConsent: true, qualificationApp: true, nationalOutage: true })).toEqual(
      order.steps.map(({ id }) => id),
    );
  });
});
