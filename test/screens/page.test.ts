import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createKioskScreen, type KioskScreen } from '../../drivers/kiosk-screen.ts';
import { chromiumPath, openBrowser } from '../../scripts/screens/screens-browser.ts';
import { catalogueAt, catalogueDir } from '../../src/catalogue/load-catalogue.ts';
import { gallery, galleryDisplay, galleryNow, gallerySettings } from '../../src/cli/preview-gallery.ts';
import { drawScreen } from '../../src/core/screen/draw-screen.ts';
import type { ScreenEvent } from '../../src/ports/screen.ts';

const hasChromium = existsSync(chromiumPath);
if (!hasChromium) console.warn(`skipped: the patient's page in a browser (${chromiumPath} is not installed)`);

const root = join(import.meta.dirname, '..', '..');
const catalogue = catalogueAt(galleryNow.wallMs);

describe.skipIf(!hasChromium)("the patient's page in Chromium", () => {
  let pageDir = '';
  let screen: KioskScreen;
  let page: Page;
  let closeBrowser: () => Promise<void>;
  const events: ScreenEvent[] = [];
  let revision = 0;

  beforeAll(async () => {
    pageDir = mkdtempSync(join(tmpdir(), 'uketsuke-built-page-'));
    const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
    const config = join(root, 'src', 'screens', 'vite.config.ts');
    execFileSync(process.execPath, [vite, 'build', '--config', config, '--outDir', pageDir, '--logLevel', 'error']);
    screen = await createKioskScreen({ port: 0, pageDir, speechDir: join(catalogueDir, 'speech') });
    screen.subscribe((event) => events.push(event));
    const browser = await openBrowser(screen.port);
    page = browser.page;
    closeBrowser = browser.close;
  });
  afterAll(async () => {
    await closeBrowser?.();
    await screen?.close();
    rmSync(pageDir, { recursive: true, force: true });
  });

  const show = async (name: string, facilityName = gallerySettings.facilityName): Promise<number> => {
    const display = galleryDisplay;
    const exhibit = gallery({ ...gallerySettings, facilityName }, catalogue, display).find(
      (each) => each.name === name,
    );
    if (exhibit === undefined) throw new Error(`no exhibit ${name}`);
    revision += 1;
    screen.show({
      ...drawScreen(exhibit.session, { catalogue, now: galleryNow, offerUnproved: true }),
      revision,
    });
    await page.waitForSelector(`[data-revision="${revision}"]`);
    return revision;
  };
  const told = (type: ScreenEvent['type']) => events.filter((event) => event.type === type);
  const until = async (holds: () => boolean): Promise<void> => {
    await expect.poll(holds, { timeout: 60_000, interval: 20 }).toBe(true);
  };
  /** The page's own clock has gone on by so much: its patience with a cut. */
  const pageTimePassed = async (ms: number): Promise<void> => {
    const from = (await page.evaluate('performance.now()')) as number;
    await expect
      .poll(() => page.evaluate('performance.now()'), { timeout: 60_000, interval: 20 })
      .toBeGreaterThan(from + ms);
  };

  beforeEach(() => {
    events.length = 0;
  });

  it('rests on the idle screen, which stands there all night: nothing on it moves without an end', async () => {
    const endless = async (name: string): Promise<number> => {
      await show(name);
      return page.evaluate(
        'document.getAnimations().filter(({ effect }) => effect.getComputedTiming().iterations === Infinity).length',
      );
    };
    await page.emulateMedia({ reducedMotion: 'no-preference' });
    expect(await endless('idle')).toBe(0);
    // The look bites: a card that is being read has its waves.
    expect(await endless('reading')).toBeGreaterThan(0);
    await page.emulateMedia({ reducedMotion: 'reduce' });
  });

  it('tells a touch with the session and revision it was made on', async () => {
    const shown = await show('consent-bundle');
    await page.click('[data-control="decline"]');
    await until(() => told('touched').length === 1);
    expect(told('touched')[0]).toMatchObject({ touch: { control: 'decline', revision: shown } });
  });

  it('shows at once that a touch was felt, and no longer than a moment if the terminal did not take it', async () => {
    await show('consent-item.checkup');
    await page.click('[data-control="agree"]');
    expect(await page.locator('.choice.sent').count()).toBe(1);
    await until(() => told('touched').length === 1);
    await expect.poll(() => page.locator('.choice.sent').count(), { timeout: 60_000, interval: 20 }).toBe(0);
  });

  it('keeps the ways to verify where they are from the choice through the face check: no button comes under a finger', async () => {
    const places = async (name: string) => {
      await show(name);
      const found: unknown[] = [];
      for (const id of ['use-face', 'use-pin', 'call-staff'])
        found.push([id, await page.locator(`[data-control="${id}"]`).boundingBox()]);
      return found;
    };
    const chosen = await places('choose-method');
    expect(chosen).not.toContain(null);
    for (const name of ['face', 'face.others', 'face.hint-look-here', 'face.hint-strong-back-light'])
      expect(await places(name), name).toEqual(chosen);
  });

  it('shows names and titles as they are, and what no font has as its code, never as a box or ●', async () => {
    await show('referral-documents', '髙﨑𠮷葛\u{E0100}医院 \u{3134B}');
    expect(await page.locator('.facility').textContent()).toBe('髙﨑𠮷葛\u{E0100}医院 U+3134B');
    const exhibit = gallery(gallerySettings, catalogue, {
      language: 'ne',
      theme: 'default',
      textPercent: 100,
      voice: 'all',
      loudness: 0,
      layout: 'standard',
    }).find((each) => each.name === 'referral-documents');
    if (exhibit === undefined) throw new Error('no referral documents');
    const drawn = drawScreen(exhibit.session, { catalogue, now: galleryNow, offerUnproved: true });
    revision += 1;
    const controls = drawn.controls.map((each) => ({ ...each, label: `紹介状 髙﨑\u{3134B} ${each.label}` }));
    screen.show({ ...drawn, revision, controls });
    await page.waitForSelector(`[data-revision="${revision}"]`);
    const label = page.locator('.rows .label').first();
    expect(await label.textContent()).toBe(controls[0]?.label.replace('\u{3134B}', 'U+3134B'));
  });

  it('sends PIN keys as single bytes and looks the same whatever the digit', async () => {
    await show('pin');
    const pad = page.locator('.pad');
    const box = await page.locator('.key').first().boundingBox();
    if (box === null) throw new Error('no PIN pad');
    const pressed: Buffer[] = [];
    for (const digit of ['1', '5', '0']) {
      const key = page.locator('.key', { hasText: new RegExp(`^${digit}$`) });
      const at = await key.boundingBox();
      if (at === null) throw new Error(`no key ${digit}`);
      await page.mouse.move(at.x + 40, at.y + 40);
      await page.mouse.down();
      pressed.push(await pad.screenshot());
      await page.mouse.up();
    }
    await until(() => told('pin-key').length === 3);
    expect(told('pin-key')).toEqual([0x31, 0x35, 0x30].map((key) => ({ type: 'pin-key', key })));
    expect(pressed[1]?.equals(pressed[0] as Buffer)).toBe(true);
    expect(pressed[2]?.equals(pressed[0] as Buffer)).toBe(true);
    expect(told('touched')).toEqual([]);
  });

  it('has no ear for a keyboard: 10,000 injected keys change nothing', async () => {
    await show('consent-bundle');
    // Whether a text is longer than its place is known once its letters are there.
    await page.evaluate(
      'document.fonts.ready.then(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))))',
    );
    const before = await page.content();
    await page.evaluate(`
      const keys = ['Tab', 'Enter', ' ', '1', 'F5', 'Escape', 'ArrowDown', 'a'];
      for (let index = 0; index < 10000; index += 1) {
        const key = keys[index % keys.length];
        const target = document.activeElement ?? document.body;
        target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
        target.dispatchEvent(new KeyboardEvent('keyup', { key, bubbles: true, cancelable: true }));
      }`);
    for (const key of ['Tab', 'Tab', 'Enter', 'Space', '1', '2']) await page.keyboard.press(key);
    expect(await page.content()).toBe(before);
    expect(told('touched')).toEqual([]);
    expect(told('pin-key')).toEqual([]);
  });

  it('speaks through the browser: the recording of each text, one after the other, and stops when told', async () => {
    await show('idle');
    await page.evaluate(`
      window.played = [];
      HTMLMediaElement.prototype.play = function () {
        window.played.push(new URL(this.src).pathname);
        if (!this.src.includes('never')) fetch(this.src).then((answer) => window.played.push(answer.headers.get('content-type'))).then(() => this.onended());
        return Promise.resolve();
      };`);
    const language = 'ja';
    screen.speaker.say([
      { language, text: 'カードを読み取っています' },
      { language, text: 'nobody recorded this' },
      { language, text: 'そのまま、カードを動かさないでください。' },
    ]);
    const played = async () => (await page.evaluate('played')) as string[];
    await expect.poll(async () => (await played()).length, { timeout: 60_000, interval: 20 }).toBe(4);
    const [first, firstType, second, secondType] = await played();
    expect([firstType, secondType]).toEqual(['audio/ogg', 'audio/ogg']);
    expect(first).toMatch(/^\/speech\/ja\/[0-9a-f]{16}\.ogg$/);
    expect(second).not.toBe(first);
    screen.speaker.chime('accepted');
    screen.speaker.silence();
    expect(await page.getAttribute('.screen', 'data-screen')).toBe('idle');
  });

  it('goes on beating while it paints, with the revision that stands there', async () => {
    const shown = await show('idle');
    events.length = 0;
    await until(() => told('painted').some((event) => event.type === 'painted' && event.revision === shown));
  });

  it('shows 髙 﨑 𠮷 and a variation sequence as they are, with a glyph of their own', async () => {
    await show('idle', '髙﨑𠮷葛󠄀クリニック');
    expect(await page.textContent('.facility')).toBe('髙﨑𠮷葛󠄀クリニック');
    const inks = (await page.evaluate(`(async () => {
      const font = getComputedStyle(document.querySelector('.facility')).font;
      await document.fonts.load(font, '髙﨑𠮷葛高崎吉');
      const inkOf = (text) => {
        const context = new OffscreenCanvas(64, 64).getContext('2d', { willReadFrequently: true });
        context.font = font.replace(/[\\d.]+px/, '40px');
        context.fillText(text, 4, 48);
        return context.getImageData(0, 0, 64, 64).data.join();
      };
      const missing = inkOf('\\u{10FFFF}');
      return ['髙', '﨑', '𠮷', '葛󠄀', '高', '崎', '吉'].map((text) => [inkOf(text) !== missing, inkOf(text)]);
    })()`)) as [boolean, string][];
    expect(inks.map(([hasGlyph]) => hasGlyph)).toEqual(inks.map(() => true));
    // 髙 is not 高, 﨑 not 崎, 𠮷 not 吉.
    expect(inks[0]?.[1]).not.toBe(inks[4]?.[1]);
    expect(inks[1]?.[1]).not.toBe(inks[5]?.[1]);
    expect(inks[2]?.[1]).not.toBe(inks[6]?.[1]);
  });

  it('keeps its picture through a short cut, comes back by itself, and blanks after a long one', async () => {
    await show('consent-item.surgery');
    const { port } = screen;
    await screen.close();
    await pageTimePassed(500);
    expect(await page.getAttribute('.screen', 'data-screen')).toBe('consent-item');
    screen = await createKioskScreen({ port, pageDir });
    screen.subscribe((event) => events.push(event));
    await until(() => told('connected').length > 0);
    expect(await page.getAttribute('.screen', 'data-screen')).toBe('consent-item');
    await show('idle');
    await screen.close();
    await page.waitForSelector('.cover', { timeout: 10_000 });
    expect(await page.locator('.screen').count()).toBe(0);
    screen = await createKioskScreen({ port, pageDir });
    screen.subscribe((event) => events.push(event));
    await show('idle');
  });

  it('offers every language by its own name, and sends the one that was touched', async () => {
    await show('idle');
    await page.click('.tool-language');
    expect(await page.locator('[data-language]').allTextContents()).toContain('नेपाली');
    await page.click('[data-language="vi"]');
    await until(() => told('touched').length === 1);
    expect(told('touched')[0]).toMatchObject({ touch: { control: 'language', value: 'vi' } });
  });

  // Last: from here on the page's clock is ours.
  it('moves at rest for less than a twentieth of the time, and nothing on it moves for ever', async () => {
    await page.emulateMedia({ reducedMotion: 'no-preference' });
    await page.clock.install();
    await page.reload();
    await show('idle');
    await page.evaluate(`window.glides = 0;
      new MutationObserver(() => { glides += document.querySelector('.placing.laid') === null ? 0 : 1; })
        .observe(document.querySelector('.placing'), { attributes: true, attributeFilter: ['class'] })`);
    const overMs = 320_000;
    await page.clock.runFor(overMs);
    const [glides, glide, endless] = (await page.evaluate(`[glides,
      (document.querySelector('.placing').classList.add('laid'), getComputedStyle(document.querySelector('.placing')).transitionDuration),
      document.getAnimations().filter((each) => each.effect.getTiming().iterations === Infinity).length]`)) as [
      number,
      string,
      number,
    ];
    expect(glides).toBeGreaterThan(5);
    expect(glide).toMatch(/^[\d.]+s$/);
    expect((glides * Number.parseFloat(glide) * 1_000) / overMs).toBeLessThan(0.05);
    expect(endless).toBe(0);
  });
});
