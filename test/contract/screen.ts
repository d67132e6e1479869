import { afterEach, describe, expect, it } from 'vitest';
import type { ScreenModel, Touch } from '../../src/core/screen/screen-model.ts';
import type { Screen, ScreenEvent } from '../../src/ports/screen.ts';

/** The other side of a screen, as a test drives it: what was shown, and a finger. */
export type ScreenProbe = {
  readonly screen: Screen;
  /** Resolves with the next thing shown: a model, a picture, or its end. */
  readonly nextShown: () => Promise<ScreenModel | Uint8Array | null>;
  readonly touch: (touch: Touch) => void;
  readonly pressPinKey: (byte: number) => void;
  readonly tellPainted: (revision: number) => void;
  readonly leave: () => Promise<void>;
  readonly close: () => Promise<void>;
};

export const model = (revision: number, session: string | null = null): ScreenModel => ({
  screen: 'idle',
  session,
  revision,
  language: 'ja',
  theme: 'default',
  textPercent: 100,
  layout: 'standard',
  facilityName: '𠮷田・髙﨑クリニック',
  steps: ['1', '2', '3', '4'],
  step: 1,
  tone: 'calm',
  heading: `revision ${revision}`,
  lead: [],
  note: null,
  remaining: null,
  body: { kind: 'plain' },
  controls: [],
  tools: [],
  footer: ['', ''],
  ruby: {},
  closeLabel: '',
  diagonalInches: null,
  speech: [],
  languages: [],
  focused: null,
  pinKeys: null,
});

/** Waits for the first event that fits; the test's own time-out is the bound. */
export const nextEvent = <E extends ScreenEvent['type']>(
  screen: Screen,
  type: E,
): Promise<Extract<ScreenEvent, { type: E }>> =>
  new Promise((resolve) => {
    const stop = screen.subscribe((event) => {
      if (event.type !== type) return;
      queueMicrotask(() => stop());
      resolve(event as Extract<ScreenEvent, { type: E }>);
    });
  });

/** What every driver of the screen port must do. */
export const screenContract = (name: string, open: () => Promise<ScreenProbe>): void => {
  describe(`screen: ${name}`, () => {
    let probe: ScreenProbe | null = null;
    afterEach(async () => {
      await probe?.close();
      probe = null;
    });

    it('shows what it is told, to the last rare character', async () => {
      probe = await open();
      probe.screen.show(model(1));
      expect(await probe.nextShown()).toEqual(model(1));
      probe.screen.show(model(2, '9d6b9d3e-8f0a-4c58-b1f2-3a1c6f1d2e3f'));
      expect(await probe.nextShown()).toMatchObject({ revision: 2, facilityName: '𠮷田・髙﨑クリニック' });
    });

    it('tells a touch with the session and the revision it was made on', async () => {
      probe = await open();
      const touch: Touch = { session: 'visit-1', revision: 7, control: 'language', value: 'en' };
      const told = nextEvent(probe.screen, 'touched');
      probe.touch(touch);
      expect(await told).toEqual({ type: 'touched', touch });
    });

    it.each([0x30, 0x39, 0x08, 0x0d])('tells the PIN key %i as one byte', async (byte) => {
      probe = await open();
      const told = nextEvent(probe.screen, 'pin-key');
      probe.pressPinKey(byte);
      expect(await told).toEqual({ type: 'pin-key', key: byte });
    });

    it('tells no byte that is not a key of the PIN pad', async () => {
      probe = await open();
      const keys: number[] = [];
      probe.screen.subscribe((event) => {
        if (event.type === 'pin-key') keys.push(event.key);
      });
      for (const byte of [0x00, 0x2f, 0x3a, 0x41, 0xff]) probe.pressPinKey(byte);
      const painted = nextEvent(probe.screen, 'painted');
      probe.tellPainted(3);
      await painted;
      expect(keys).toEqual([]);
    });

    it('passes a preview picture on as it is, and its end', async () => {
      probe = await open();
      const picture = Uint8Array.of(0xff, 0xd8, 1, 2, 3, 0xff, 0xd9);
      probe.screen.preview(picture);
      expect(await probe.nextShown()).toEqual(picture);
      probe.screen.preview(null);
      expect(await probe.nextShown()).toBeNull();
    });

    it('tells which revision has been painted, and when nobody looks any more', async () => {
      probe = await open();
      const painted = nextEvent(probe.screen, 'painted');
      probe.tellPainted(42);
      expect(await painted).toEqual({ type: 'painted', revision: 42 });
      const gone = nextEvent(probe.screen, 'disconnected');
      await probe.leave();
      await gone;
    });
  });
};
