import type { Page } from 'playwright-core';
import type WebSocket from 'ws';
import { personaById } from '../../drivers/virtual/personas.ts';
import type { ScreenModel, Touch } from '../../src/core/screen/screen-model.ts';
import { ScriptedPatient } from '../demonstration/scripted-patient.ts';
import type { AnyClinic } from './compared-visits.ts';

const clearKey = 0x08;
const enterKey = 0x0d;

/** Real clicks on what stands in the frame of the patient's screen. */
class Finger {
  readonly #page: Page;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #onMissed: (what: string) => void;

  constructor(page: Page, onMissed: (what: string) => void) {
    this.#page = page;
    this.#onMissed = onMissed;
  }

  click(selector: string): void {
    this.#turn = this.#turn.then(async () => {
      const target = this.#page.frameLocator('#screen').locator(selector).first();
      try {
        // A question longer than the panel is read to its end first: the button shows the rest.
        for (
          let pages = 0;
          pages < 8 && (await target.getAttribute('aria-disabled', { timeout: 4_000 })) === 'true';
          pages += 1
        )
          await target.click({ timeout: 4_000 });
        await target.click({ timeout: 4_000 });
      } catch (error) {
        this.#onMissed(`${selector}: ${(error as Error).message.split('\n')[0]}`);
      }
    });
  }

  touch({ control }: Touch): void {
    this.click(`[data-control="${control}"]`);
  }
  key(key: number): void {
    if (key === enterKey) this.click('.pad .enter');
    else this.click(key === clearKey ? '.pad .word' : `.pad .key:text-is("${String.fromCharCode(key)}")`);
  }
}

type Heard = (raw: string, binary: boolean) => void;

/** The page as the demo's script takes a clinic, with a patient before it who sees its models and clicks with a real mouse. */
export const clinicOfPage = async (
  page: Page,
  onState: (state: string) => void,
  onMissed: (what: string) => void,
): Promise<{ readonly clinic: AnyClinic; readonly patient: ScriptedPatient }> => {
  const hears = new Set<Heard>();
  const finger = new Finger(page, onMissed);
  const socket = {
    on: (_: 'message', hear: Heard) => void hears.add(hear),
    // A page does not go away by itself.
    once: () => {},
    off: () => {},
    send: (message: string | Uint8Array) => {
      if (typeof message !== 'string') return void (message[0] !== undefined && finger.key(message[0]));
      const { touch } = JSON.parse(message) as { readonly touch?: Touch };
      if (touch !== undefined) finger.touch(touch);
    },
    close: () => {},
  };
  const patient = new ScriptedPatient(socket as unknown as WebSocket);
  await page.exposeFunction('uketsukeShown', (model: ScreenModel) => {
    for (const hear of hears) hear(JSON.stringify({ model }), false);
  });
  await page.exposeFunction('uketsukeState', onState);
  await page.evaluate(`uketsukeWatch(uketsukeShown, uketsukeState)`);
  const run = (script: string): void => void page.evaluate(script);
  // Several cards of the demo have the same face; the page's booth knows people by their cards.
  let [face, lying] = [null as string | null, ''];
  const stand = (): void => {
    const who = face === null ? null : personaById(lying).face === face ? lying : 'somebody else';
    run(`uketsukeClinic.booth.standing = ${JSON.stringify(who)}`);
  };
  return {
    patient,
    clinic: {
      order: (order) => {
        if (order.type === 'insert') {
          lying = order.persona;
          stand();
          run(`uketsukeClinic.lay(${JSON.stringify(lying)})`);
        }
        if (order.type === 'pull') run('uketsukeClinic.pull()');
        if (order.type === 'unplug-reader') run(`uketsukeClinic.break('reader unplugged')`);
        if (order.type === 'plug-reader') run(`uketsukeClinic.mend('reader unplugged')`);
      },
      setFace: (stands) => {
        face = stands;
      },
      broker: {
        cut: async () => void (await page.evaluate(`uketsukeClinic.break('broker dies')`)),
        restore: async () => void (await page.evaluate(`uketsukeClinic.mend('broker dies')`)),
      },
    },
  };
};
