import { afterEach, describe, expect, test } from 'vitest';
import { type Listened, listenTo } from '../../scripts/beds/listened.ts';
import type { Keypad, KeypadEvent, PinKey } from '../../src/ports/keypad.ts';

export type KeypadBench = {
  readonly keypad: Keypad;
  press(key: PinKey): void;
  unplug(): void;
  plug(): void;
};

const keys = [0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x08, 0x0d];

/** What every keypad does. */
export const keypadContract = (name: string, make: () => KeypadBench): void => {
  describe(`${name} keeps the contract of a keypad`, () => {
    let bench: KeypadBench | null = null;
    let listened: Listened<KeypadEvent> | null = null;
    const begin = async () => {
      const made = make();
      const heard = listenTo<KeypadEvent>((listener) => made.keypad.subscribe(listener));
      bench = made;
      listened = heard;
      await heard.next((event) => event.type === 'found');
      return { bench: made, heard };
    };
    afterEach(async () => {
      listened?.stop();
      await bench?.keypad.close();
      bench = null;
    });

    test('each key arrives once, as its byte, in order', async () => {
      const { bench: made, heard } = await begin();
      for (const key of keys) {
        made.press(key);
        expect(await heard.next((event) => event.type === 'key')).toEqual({ type: 'key', key });
      }
      expect(heard.all.filter((event) => event.type === 'key')).toHaveLength(keys.length);
    });

    test('a new listener is told first whether the keypad is there', async () => {
      const { bench: made } = await begin();
      const late: KeypadEvent[] = [];
      made.keypad.subscribe((event) => late.push(event))();
      expect(late).toEqual([{ type: 'found' }]);
    });

    test('unplugged it is lost once, plugged it is found again and works', async () => {
      const { bench: made, heard } = await begin();
      made.unplug();
      expect(await heard.next((event) => event.type === 'lost')).toMatchObject({ failure: { code: 'keypad.lost' } });
      made.plug();
      await heard.next((event) => event.type === 'found');
      made.press(0x37);
      expect(await heard.next((event) => event.type === 'key')).toEqual({ type: 'key', key: 0x37 });
      expect(heard.all.map(({ type }) => type)).toEqual(['found', 'lost', 'found', 'key']);
    });

    test('closed it tells nothing more', async () => {
      const { bench: made, heard } = await begin();
      await made.keypad.close();
      made.press(0x31);
      made.unplug();
      made.plug();
      expect(heard.all).toEqual([{ type: 'found' }]);
    });
  });
};
