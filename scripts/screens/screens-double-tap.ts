import type { Page } from 'playwright-core';
import { gallery, galleryDisplay, galleryNow, gallerySettings } from '../../src/cli/preview-gallery.ts';
import type { Catalogue } from '../../src/core/catalogue/catalogue.ts';
import { drawScreen } from '../../src/core/screen/draw-screen.ts';
import type { Session, SessionEvent } from '../../src/core/visit/session.ts';
import { transition } from '../../src/core/visit/session-machine.ts';
import type { Screen } from '../../src/ports/screen.ts';

/** A finger that trembles comes down again after so long. ms */
const againMs = 350;

/**
 * Each button of each screen is touched twice at the same spot, as a trembling finger does: names those where the second
 * touch did something to the question that the first had brought. The page, its spots and the machine are the real ones.
 */
export const touchTwice = async (page: Page, screen: Screen, catalogue: Catalogue): Promise<readonly string[]> => {
  const display = { ...galleryDisplay, voice: 'off' } as const;
  const found: string[] = [];
  let session: Session | null = null;
  let revision = 2_000_000;
  const now = () => ({ monotonicMs: galleryNow.monotonicMs + performance.now(), wallMs: galleryNow.wallMs });
  const show = async (next: Session): Promise<void> => {
    session = next;
    revision += 1;
    const model = drawScreen(next, { catalogue, now: now(), offerUnproved: true });
    screen.show({ ...model, revision });
    await page.waitForSelector(`[data-revision="${revision}"]`);
  };
  const answersOf = (of: Session | null): string => {
    const visit = of !== null && 'visit' in of.state ? of.state.visit : null;
    return JSON.stringify([of?.state.name, visit?.questionIndex, visit?.answers.approvedDocuments, of?.help !== null]);
  };
  let showing = Promise.resolve();
  const stop = screen.subscribe((event) => {
    if (event.type !== 'touched' || session === null) return;
    const { session: of, control, value } = event.touch;
    const touched = {
      type: 'Touched',
      session: of,
      control,
      ...(value === undefined ? {} : { value }),
      at: now(),
    } as SessionEvent;
    session = transition(session, touched).session;
    const next = session;
    showing = showing.then(() => show(next));
  });
  await page.setViewportSize({ width: 1280, height: 800 });
  for (const exhibit of gallery(gallerySettings, catalogue, display)) {
    const model = drawScreen(exhibit.session, { catalogue, now: now(), offerUnproved: true });
    for (const { id, value, weight } of model.controls) {
      if (exhibit.name.startsWith('desk.') || weight === 'row') continue;
      await show(exhibit.session);
      const spot = await page.locator(`[data-control="${id}"]`).first().boundingBox();
      if (spot === null) continue;
      const [x, y] = [spot.x + spot.width / 2, spot.y + spot.height / 2];
      await page.mouse.click(x, y);
      await page.waitForTimeout(againMs);
      await showing;
      const once = answersOf(session);
      await page.mouse.click(x, y);
      await page.waitForTimeout(80);
      await showing;
      if (answersOf(session) !== once) found.push(`${exhibit.name}: ${id} ${value ?? ''}`);
    }
  }
  stop();
  return found;
};
