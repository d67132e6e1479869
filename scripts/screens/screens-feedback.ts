import { mkdtempSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { createAlsaSpeaker } from '../../drivers/speaker/alsa-speaker.ts';
import { catalogueDir } from '../../src/catalogue/load-catalogue.ts';
import { gallery, galleryDisplay, galleryNow, gallerySettings } from '../../src/cli/preview-gallery.ts';
import type { Catalogue } from '../../src/core/catalogue/catalogue.ts';
import { drawScreen } from '../../src/core/screen/draw-screen.ts';
import type { Session, SessionEvent } from '../../src/core/visit/session.ts';
import { transition } from '../../src/core/visit/session-machine.ts';
import type { Screen, ScreenEvent } from '../../src/ports/screen.ts';

/** The first drawings of a fresh browser load fonts; a terminal is warm before its first patient. */
const warmUps = 3;
const cardContacts = 20;
const touches = 120;
/** Longer than the page's guard against double taps. ms */
const betweenTouchesMs = 330;

const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round((sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0) * 10) / 10;
};

/** Contact → the first sample at the loudspeaker's door, through the real speaker driver. ms */
const soundTimes = async (): Promise<readonly number[]> => {
  const dir = mkdtempSync(join(tmpdir(), 'uketsuke-contact-'));
  const times: number[] = [];
  for (let index = -warmUps; index < cardContacts; index += 1) {
    const arrived = join(dir, `arrived-${index}`);
    const player = ['sh', '-c', `head -c 1 > /dev/null && : > ${arrived}; cat > /dev/null`] as const;
    const speaker = createAlsaSpeaker({ speechDir: join(catalogueDir, 'speech'), player: [...player] });
    const seen = new Promise<void>((resolve) => {
      const watcher = watch(dir, (_event, name) => {
        if (name !== `arrived-${index}`) return;
        watcher.close();
        resolve();
      });
    });
    const contactMs = performance.now();
    speaker.chime('contact');
    await seen;
    if (index >= 0) times.push(performance.now() - contactMs);
    await speaker.close();
  }
  rmSync(dir, { recursive: true, force: true });
  return times;
};

const display = galleryDisplay;

/**
 * How long a person waits for the first sign. Card: contact → the reading screen painted and the chime begun, the
 * slower of both (99th percentile of 20).
 * Touch: finger up → the first changed frame (99th percentile), through page, WebSocket, session machine and back.
 */
export const measureFeedback = async (
  page: Page,
  screen: Screen,
  catalogue: Catalogue,
): Promise<{ readonly card: number; readonly touchP99: number }> => {
  const context = { catalogue, offerUnproved: true };
  const exhibits = gallery(gallerySettings, catalogue, display);
  const sessionOf = (name: string): Session => {
    const exhibit = exhibits.find((each) => each.name === name);
    if (exhibit === undefined) throw new Error(`no exhibit ${name}`);
    return exhibit.session;
  };
  let session = sessionOf('idle');
  let revision = 1_000_000;
  const show = (next: Session): number => {
    session = next;
    revision += 1;
    screen.show({ ...drawScreen(session, { ...context, now: galleryNow }), revision });
    return revision;
  };
  const apply = (event: SessionEvent): number => show(transition(session, event).session);
  const painted = (wanted: number): Promise<void> =>
    new Promise((resolve) => {
      const stop = screen.subscribe((event: ScreenEvent) => {
        if (event.type !== 'painted' || event.revision < wanted) return;
        queueMicrotask(() => stop());
        resolve();
      });
    });
  await page.setViewportSize({ width: 1280, height: 800 });

  const cards: number[] = [];
  for (let index = -warmUps; index < cardContacts; index += 1) {
    await painted(show(sessionOf('idle')));
    const contactMs = performance.now();
    await painted(apply({ type: 'CardInserted', insertion: `i${index}`, session: `s${index}`, at: galleryNow }));
    if (index >= 0) cards.push(performance.now() - contactMs);
  }

  const stop = screen.subscribe((event) => {
    if (event.type !== 'touched') return;
    const { session: of, control, value } = event.touch;
    const what = { session: of, control, ...(value === undefined ? {} : { value }) };
    // Time stands still here: a finger is meant each time.
    apply({ type: 'Touched', ...what, said: true, at: galleryNow });
  });
  await painted(show(sessionOf('consent-bundle')));
  await page.evaluate('touchTimes.length = 0');
  for (let index = 0; index < touches; index += 1) {
    await new Promise((resolve) => setTimeout(resolve, betweenTouchesMs));
    const buttons = page.locator('.choice:not([data-control="start-over"])');
    const count = await buttons.count();
    if (count === 0) {
      await painted(show(sessionOf('consent-bundle')));
      continue;
    }
    // The pause begins when the change has been painted: a touch that the guard drops has no change to wait for.
    const changed = painted(revision + 1);
    await buttons.nth(index % count).click();
    await changed;
  }
  stop();
  const times = (await page.evaluate('touchTimes')) as number[];
  if (times.length < touches / 2) throw new Error(`only ${times.length} touches were felt`);
  return {
    card: Math.max(percentile(cards, 0.99), percentile(await soundTimes(), 0.99)),
    touchP99: percentile(times, 0.99),
  };
};
