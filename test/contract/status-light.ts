import { afterEach, describe, expect, test } from 'vitest';
import { type Listened, listenTo } from '../../scripts/beds/listened.ts';
import { lightPatterns } from '../../src/core/visit/light-of.ts';
import type { StatusLight, StatusLightEvent } from '../../src/ports/status-light.ts';

/** What the lamp itself did: a pattern, or a beep. */
export type Shining = { readonly type: string };

export type StatusLightBench = {
  readonly light: StatusLight;
  readonly shining: Listened<Shining>;
  setPresence(near: boolean): void;
  unplug(): Promise<void>;
  plug(): Promise<void>;
  close(): Promise<void>;
};

/** What every status light does. */
export const statusLightContract = (name: string, make: () => Promise<StatusLightBench>): void => {
  describe(`${name} keeps the contract of a status light`, () => {
    let bench: StatusLightBench | null = null;
    const begin = async () => {
      bench = await make();
      const made = bench;
      const heard = listenTo<StatusLightEvent>((listener) => made.light.subscribe(listener));
      await heard.next((event) => event.type === 'found');
      return { made, heard };
    };
    afterEach(async () => {
      await bench?.close();
      bench = null;
    });

    test('each pattern shines', async () => {
      const { made } = await begin();
      for (const pattern of lightPatterns) {
        made.light.show(pattern);
        await made.shining.next((shone) => shone.type === pattern);
      }
    });

    test('each beep sounds', async () => {
      const { made } = await begin();
      for (const beep of ['contact', 'done', 'attention'] as const) {
        made.light.beep(beep);
        await made.shining.next((shone) => shone.type === `beep ${beep}`);
      }
    });

    test('somebody coming and going is told', async () => {
      const { made, heard } = await begin();
      for (const near of [true, false]) {
        made.setPresence(near);
        expect(await heard.next((event) => event.type === 'presence')).toEqual({ type: 'presence', near });
      }
    });

    test('a light that comes back shows at once what holds now', async () => {
      const { made, heard } = await begin();
      made.light.show('ready');
      await made.shining.next((shone) => shone.type === 'ready');
      await made.unplug();
      expect(await heard.next((event) => event.type === 'lost')).toMatchObject({ failure: { code: 'light.lost' } });
      made.light.show('call-staff');
      made.light.beep('attention');
      await made.plug();
      await heard.next((event) => event.type === 'found');
      await made.shining.next((shone) => shone.type === 'call-staff');
      expect(heard.all.map(({ type }) => type)).toEqual(['found', 'lost', 'found']);
    });
  });
};
