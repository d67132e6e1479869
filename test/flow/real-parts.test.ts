import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pinBytes, testCard } from '../../scripts/beds/test-cards.ts';
import { TerminalOnPcscd, terminalOnPcscdMissing } from '../../scripts/demonstration/terminal-on-pcscd.ts';
import { Journal } from '../../src/agent/journal/journal.ts';
import type { ScreenModel } from '../../src/core/screen/screen-model.ts';

const why = await terminalOnPcscdMissing();
if (why !== null) console.warn(`skipped: a visit on real parts: ${why}`);

const parts = new TerminalOnPcscd();
const { directory, slot: bed, log } = parts;
beforeAll(async () => {
  if (why === null) await parts.start({ settings: { smartphone: true } });
});
afterAll(() => parts.close());

const byPin = (model: ScreenModel) => {
  switch (model.screen) {
    case 'choose-method':
      return { do: 'touch', control: 'use-pin' } as const;
    case 'pin':
    case 'phone-pin':
      return model.body.kind === 'pin' && model.body.entered === 0 && !model.body.checking
        ? ({ do: 'type-pin', digits: pinBytes('1234') } as const)
        : ({ do: 'wait' } as const);
    case 'consent-bundle':
    case 'consent-item':
    case 'specific-disease':
      return { do: 'touch', control: 'agree' } as const;
    case 'medical-subsidy':
      return { do: 'touch', control: 'use' } as const;
    case 'prescription-form':
      return { do: 'touch', control: 'paper' } as const;
    case 'referral-documents':
    case 'certificate-notice':
      return { do: 'touch', control: 'next' } as const;
    case 'summary':
      return { do: 'touch', control: 'confirm' } as const;
    default:
      return { do: 'wait' } as const;
  }
};

it.skipIf(why !== null)(
  'a PIN visit through pcscd, mosquitto with mutual TLS and MQTT 5, SQLite and the agent: accepted, journaled, filed',
  async () => {
    await parts.patient.see('idle');
    const made = await testCard('hanako', Date.now());
    await bed.insert(made.card);
    const last = await parts.patient.follow(byPin, ['accepted', 'desk', 'out-of-service']);
    expect(last.screen, log.slice(-20).join('\n')).toBe('accepted');
    await bed.pull();
    await parts.patient.see('idle');
    const journal = new Journal(parts.agent.journal, { readOnly: true });
    // A terminal is tried out by itself when it is new, and each morning: before the visit, after it, or not yet.
    const visits = journal.visits().filter(({ kind }) => kind !== 'test');
    journal.close();
    expect(visits).toMatchObject([{ method: 'pin', verdict: 'accepted', outcome: 'eligible', lane: 1 }]);
    expect(readdirSync(join(parts.agent.oqsFolder, 'face'))).toHaveLength(1);
    // Nothing of the person lies on the terminal's disk afterwards, and none of it was ever in the log.
    const { name, address, birthDate } = made.persona.person;
    const store = readdirSync(directory).filter((file) => file.startsWith('link.sqlite'));
    const kept = Buffer.concat([
      Buffer.from(log.join('\n')),
      ...store.map((file) => readFileSync(join(directory, file))),
    ]);
    for (const canary of [name, address, birthDate, made.printedNumberB ?? '?', made.persona.serial])
      expect(kept.includes(canary), canary).toBe(false);
    for (const there of ['process.ready', 'request-stored']) expect(kept.includes(there), there).toBe(true);
  },
);

it.skipIf(why !== null)(
  'a simulated Android through pcscd: laid down, its PIN, laid down once more; one VERIFY; in its place a card is the card’s visit',
  async () => {
    await parts.patient.see('idle');
    const { card: phone } = await testCard('android-phone', Date.now());
    await bed.insert(phone);
    await parts.patient.follow(byPin, ['present-phone', 'desk', 'out-of-service']);
    expect([parts.patient.screen, phone.verifyCount], log.slice(-20).join('\n')).toEqual(['present-phone', 0]);
    await bed.insert(phone);
    const last = await parts.patient.follow(byPin, ['accepted', 'desk', 'out-of-service']);
    expect([last.screen, phone.verifyCount], log.slice(-20).join('\n')).toEqual(['accepted', 1]);
    expect(last.heading).toContain('スマートフォン');
    await bed.pull();
    await parts.patient.see('idle');
    await bed.insert(phone);
    await parts.patient.follow(byPin, ['present-phone', 'desk', 'out-of-service']);
    const { card } = await testCard('hanako', Date.now());
    await bed.insert(card);
    await parts.patient.see('choose-method', 'pin');
    expect([phone.verifyCount, card.verifyCount]).toEqual([1, 0]);
    const cards = await parts.patient.follow(byPin, ['accepted', 'desk', 'out-of-service']);
    expect([cards.screen, phone.verifyCount, card.verifyCount]).toEqual(['accepted', 1, 1]);
    await bed.pull();
    await parts.patient.see('idle');
  },
);

it.skipIf(why !== null)('pcscd killed and started again: in service without a hand', async () => {
  await bed.kill();
  await parts.patient.see('out-of-service');
  await bed.start();
  await parts.patient.see('idle');
});
