import { afterEach, describe, expect, it } from 'vitest';
import { createVirtualSmartphoneReader } from '../../drivers/virtual/virtual-smartphone-reader.ts';
import { signOnPhone } from '../../scripts/beds/phone-app.ts';
import { simulatedStartMs } from '../../scripts/beds/simulated-clock.ts';
import { testCard } from '../../scripts/beds/test-cards.ts';
import { openVisitBed, type VisitBed } from '../../scripts/beds/visit-bed.ts';
import { firstFacilitySettings } from '../../src/catalogue/first-settings.ts';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import { hourMs } from '../../src/core/time-units.ts';

const catalogue = catalogueAt(simulatedStartMs);
/** 医科 as the catalogue has it by default (お薬 and 健診), with pre-check-in */
const settings = {
  ...firstFacilitySettings(catalogue.consents, 'medical', 'テスト医院', '1312345678'),
  padStrength: 'off' as const,
  preCheckIn: true,
};

type Asked = Parameters<typeof signOnPhone>[0];
const sign = (change: Partial<Asked> = {}) =>
  signOnPhone({ persona: 'hanako', wallMs: simulatedStartMs, catalogue, settings, answers: () => true, ...change });
type Signed = Awaited<ReturnType<typeof sign>>;

let bed: VisitBed;
afterEach(() => bed.close());

/** Signed at home, brought by the service, the card on the bed and its PIN right. */
const comeWith = async (signed: Signed, options: Parameters<typeof openVisitBed>[0] = { settings }): Promise<void> => {
  bed = await openVisitBed(options);
  bed.agent.leavePreCheckIn(signed);
  await comeAgain();
};

const comeAgain = async (): Promise<void> => {
  await bed.insert('hanako');
  await bed.enterPin('1234');
};

const finish = async (): Promise<void> => {
  await bed.see('accepted');
  await bed.agent.quiet();
  await bed.takeCard();
};

const consentsOf = (visit = bed.visits().at(-1)) => visit?.consents;

describe('consents signed before on the phone', () => {
  it('stand on the screen as they were given, and one touch confirms exactly them', async () => {
    const signed = await sign({ answers: ({ codes }) => !codes.includes('TKK') });
    await comeWith(signed);
    await bed.see('pre-check-in');
    const given = signed.consents.filter((consent) => consent.given).map(({ code }) => code);
    const refused = signed.consents.filter((consent) => !consent.given).map(({ code }) => code);
    expect([given, refused]).toEqual([['YZK'], ['TKK']]);
    expect(bed.screen.now.body).toMatchObject({ kind: 'summary', provided: ['お薬'], withheld: ['健診'] });
    expect(bed.screen.now.controls.map(({ id, weight }) => [id, weight])).toEqual([
      ['confirm', 'equal'],
      ['start-over', 'equal'],
    ]);
    const touchedAtMs = bed.clock.now().wallMs;
    bed.screen.touch('confirm');
    await finish();
    expect(consentsOf()).toEqual({ YZK: true, TKK: false });
    expect(bed.visits().at(-1)).toMatchObject({ verdict: 'accepted', outcome: 'eligible', method: 'pin' });
    expect(bed.visits().at(-1)?.issuedAt).toBeGreaterThanOrEqual(touchedAtMs);
    // Shown once for each question: nothing was asked a second time, and no summary after it.
    expect(bed.screen.shown.filter(({ screen }) => screen.startsWith('consent') || screen === 'summary')).toEqual([]);
  });

  it('are not sent without the touch: who walks away has consented to nothing', async () => {
    await comeWith(await sign());
    await bed.see('pre-check-in');
    await bed.takeCard();
    expect(bed.visits()).toEqual([]);
  });

  it('are changed by asking everything anew, with nothing pre-selected; they have served then, too', async () => {
    await comeWith(await sign());
    await bed.see('pre-check-in');
    bed.screen.touch('start-over');
    await bed.see('consent-bundle');
    expect(bed.screen.now.controls.some(({ pressed }) => pressed === true)).toBe(false);
    bed.screen.touch('decline');
    await finish();
    expect(consentsOf()).toEqual({ YZK: false, TKK: false });
    await comeAgain();
    await bed.see('consent-bundle');
  });

  it('serve one visit: the next one is asked as ever, also by an agent that began anew and a service that forgot', async () => {
    const signed = await sign();
    await comeWith(signed);
    await bed.see('pre-check-in');
    bed.screen.touch('confirm');
    await finish();
    await comeAgain();
    await bed.see('consent-bundle');
    await bed.takeCard();
    bed.agent.restart();
    // The service carries the same document again, as if it were another.
    bed.agent.leavePreCheckIn({ ...signed, id: 'another' });
    await comeAgain();
    await bed.see('consent-bundle');
  });

  it('are not used up by a visit that asks none of it and shows nothing of it', async () => {
    const signed = await sign();
    await comeWith(signed, {
      settings: { ...settings, asks: { ...settings.asks, YZK: false, TKK: false, SHJ: true } },
    });
    await bed.see('consent-item');
    bed.screen.touch('decline');
    await finish();
    expect(bed.visits().at(-1)).toMatchObject({ verdict: 'accepted' });
    expect(bed.screen.shown.some(({ screen }) => screen === 'pre-check-in')).toBe(false);
    expect(bed.agent.journal.isPreCheckInUsed(signed.id)).toBe(false);
  });

  it('by an Android that signed them with its own certificate: its PIN, held to its reader, one touch', async () => {
    const phones = createVirtualSmartphoneReader();
    bed = await openVisitBed({ settings: { ...settings, smartphone: true }, smartphoneReader: phones });
    bed.agent.leavePreCheckIn(await sign({ persona: 'android-phone' }));
    await bed.insert('android-phone');
    await bed.see('phone-pin');
    bed.typePin('1234');
    await bed.see('present-phone');
    bed.reader.pull();
    phones.hold((await testCard('android-phone', bed.clock.now().wallMs)).card);
    await bed.see('pre-check-in');
    bed.screen.touch('confirm');
    await bed.see('accepted');
    await bed.agent.quiet();
    expect(consentsOf()).toEqual({ YZK: true, TKK: true });
  });

  it('what the facility asks beyond them is asked after them, what it no longer asks is neither shown nor sent', async () => {
    const more = { ...settings, asks: { ...settings.asks, SHJ: true, TKK: false } };
    await comeWith(await sign(), { settings: more });
    await bed.see('pre-check-in');
    expect(bed.screen.now.body).toMatchObject({ provided: ['お薬'], withheld: ['ありません'] });
    bed.screen.touch('confirm');
    await bed.see('consent-item');
    bed.screen.touch('decline');
    await bed.see('summary');
    bed.screen.touch('confirm');
    await finish();
    expect(consentsOf()).toEqual({ YZK: true, SHJ: false });
  });

  it('of the card that lay there before are not the next one’s, whichever of the two is slower', async () => {
    await comeWith(await sign({ answers: () => true }));
    await bed.see('pre-check-in');
    bed.reader.pull();
    await bed.insert('unregistered');
    await bed.enterPin('1234');
    await bed.see('registration');
    expect(bed.screen.now.session).not.toBe(bed.screen.shown.find(({ screen }) => screen === 'pre-check-in')?.session);
    bed.screen.touch('agree');
    await bed.see('consent-bundle');
    bed.screen.touch('decline');
    await finish();
    expect(consentsOf()).toEqual({ YZK: false, TKK: false });
  });

  const worthless: readonly [string, () => Promise<Signed>, Parameters<typeof openVisitBed>[0]?][] = [
    ['expired', () => sign({ change: (honest) => ({ ...honest, expiresAt: simulatedStartMs }) })],
    ['yesterday’s', () => sign({ wallMs: simulatedStartMs - 24 * hourMs })],
    ['tomorrow’s', () => sign({ change: (honest) => ({ ...honest, day: '20261119' }) })],
    ['signed in time to come', () => sign({ change: (h) => ({ ...h, issuedAt: simulatedStartMs + hourMs }) })],
    ['of a form of tomorrow', () => sign({ change: (honest) => ({ ...honest, preCheckIn: 2 }) })],
    ['with a field more', () => sign({ change: (honest) => ({ ...honest, andMore: true }) })],
    ['for another facility', () => sign({ change: (honest) => ({ ...honest, medicalInstitutionCode: '1399999999' }) })],
    [
      'of another person',
      async () => {
        const { certificateSerial } = await sign();
        return { ...(await sign({ persona: 'unregistered' })), certificateSerial };
      },
    ],
    [
      'with a consent turned round behind the signature',
      async () => {
        const signed = await sign({ answers: () => false });
        const [header = '', payload = '', signature = ''] = signed.jws.split('.');
        const turned = Buffer.from(payload, 'base64url').toString().replaceAll('"given":false', '"given":true');
        return { ...signed, jws: `${header}.${Buffer.from(turned).toString('base64url')}.${signature}` };
      },
    ],
    [
      'to words that no screen has',
      () =>
        sign({
          change: (honest) => ({
            ...honest,
            consents: honest.consents.map((consent) => ({ ...consent, textHash: 'A'.repeat(43) })),
          }),
        }),
    ],
    ['no signed document at all', async () => ({ ...(await sign()), jws: 'x.y.z' })],
    ['where the facility has it off', () => sign(), { settings: { ...settings, preCheckIn: false } }],
  ];
  it.each(worthless)('%s: worthless, and the patient is asked as ever', async (_name, signed, options) => {
    await comeWith(await signed(), options ?? { settings });
    await bed.see('consent-bundle');
    expect(bed.screen.shown.some(({ screen }) => screen === 'pre-check-in')).toBe(false);
    bed.screen.touch('agree');
    await finish();
    expect(consentsOf()).toEqual({ YZK: true, TKK: true });
  });
});
