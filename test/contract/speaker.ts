import { afterEach, describe, expect, it } from 'vitest';
import type { Speaker } from '../../src/ports/speaker.ts';

/** What every driver of the speaker port must do: whatever it is told, the visit goes on. */
export const speakerContract = (name: string, open: () => Speaker): void => {
  describe(`speaker: ${name}`, () => {
    let speaker: Speaker | null = null;
    afterEach(() => speaker?.close());

    it('takes words, chimes, silence and volume in any order and closes', async () => {
      speaker = open();
      speaker.silence();
      speaker.chime('contact');
      speaker.say([]);
      speaker.say([{ language: 'ja', text: 'カードを読み取っています' }]);
      speaker.say([{ language: 'tl', text: 'Sandali lang po.' }]);
      speaker.setVolume(250);
      speaker.setVolume(-1);
      speaker.setLoudness(2);
      speaker.setLoudness(-2);
      speaker.onEarphone(() => {});
      speaker.chime('accepted');
      speaker.silence();
      await expect(speaker.close()).resolves.toBeUndefined();
    });

    it('tells once that what it said is over, however it ended: replaced before its turn, cut, silenced, closed', async () => {
      speaker = open();
      const utterances = [{ language: 'ja', text: 'カードを読み取っています' }];
      const over = [0, 0, 0, 0, 0];
      const ended = (index: number) => () => {
        over[index] = (over[index] ?? 0) + 1;
      };
      speaker.say(utterances, { ended: ended(0) });
      speaker.say(utterances, { ended: ended(1) });
      speaker.say(utterances, { ended: ended(2) });
      speaker.say(utterances, { when: 'now', ended: ended(3) });
      speaker.silence();
      await expect.poll(() => over, { timeout: 60_000 }).toEqual([1, 1, 1, 1, 0]);
      speaker.say(utterances, { ended: ended(4) });
      await speaker.close();
      expect(over).toEqual([1, 1, 1, 1, 1]);
    });

    it('tells once when what it said has been heard, or could not be said', async () => {
      speaker = open();
      let heard = 0;
      const utterances = [{ language: 'tl', text: 'Sandali lang po.' }];
      speaker.say(utterances, { when: 'now', ended: () => (heard += 1) });
      await expect.poll(() => heard, { timeout: 60_000 }).toBe(1);
      speaker.say([], { ended: () => (heard += 1) });
      await expect.poll(() => heard, { timeout: 60_000 }).toBe(2);
      expect(typeof speaker.speaks('ja')).toBe('boolean');
    });

    it('does not fail over a language or a text it cannot say', async () => {
      speaker = open();
      speaker.say([
        { language: 'xx', text: 'nobody speaks this' },
        { language: 'ja', text: '誰も録音していない漢字' },
        { language: 'ja', text: '' },
        { language: 'en', text: '--help; rm -rf /' },
      ]);
      await expect(speaker.close()).resolves.toBeUndefined();
    });
  });
};
