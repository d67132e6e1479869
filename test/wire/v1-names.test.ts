import { describe, expect, it } from 'vitest';
import { testSettings } from '../../scripts/beds/test-facility.ts';
import { failureRules } from '../../src/core/failure.ts';
import { resultSchema, settingsMessageSchema, stateSchema } from '../../src/wire/messages.ts';
import { inWordsOf } from '../../src/wire/translate.ts';
import { v1Schemas } from '../../src/wire/v1-messages.ts';
import { codeToV1, settingsFromV1 } from '../../src/wire/v1-names.ts';
import { newestWire } from '../../src/wire/versions.ts';

const settingsOf = (message: object): unknown => (message as { facilitySettings: unknown }).facilitySettings;
const key = { kty: 'EC', crv: 'P-256', x: 'h'.repeat(43), y: 'h'.repeat(43), kid: 'h'.repeat(43) };
const messageOf = (facilitySettings: unknown) => ({
  facility: 'clinic-0001',
  device: 'front-1',
  version: 4,
  validFrom: 1,
  facilitySettings,
  facilityKeys: { current: key },
});

describe('settings by the names of version 1', () => {
  it('reach a terminal of that release, and come back as the same questions', () => {
    const asks = { TKK: true, YZK: true, SRJ: true, SHJ: false, TSR: true };
    const told = inWordsOf(1, 'settings', messageOf({ ...testSettings, asks }));
    expect(settingsOf(told)).toMatchObject({ askTKK: true, askSHJ: false, facilityName: testSettings.facilityName });
    expect(v1Schemas.settings.safeParse(told).success).toBe(true);
    expect(settingsMessageSchema.parse(told).facilitySettings).toEqual({ ...testSettings, asks });
  });

  it('say of later things what version 1 has nearest: no item that it does not know, 医科 for 訪問看護', () => {
    const later = { ...testSettings, institutionType: 'visiting-nurse', asks: { ...testSettings.asks, YBS: true } };
    expect(settingsOf(inWordsOf(1, 'settings', messageOf(later)))).toMatchObject({ institutionType: 'medical' });
    expect(settingsOf(inWordsOf(newestWire, 'settings', messageOf(later)))).toEqual(later);
    for (const institutionType of ['medical', 'dental', 'pharmacy'])
      expect(settingsOf(inWordsOf(1, 'settings', messageOf({ ...later, institutionType })))).toMatchObject({
        institutionType,
      });
  });

  it('in a clinic’s file are read; today’s names and nonsense pass unchanged', () => {
    expect(settingsFromV1({ askTKK: true, askSHJ: 'perhaps', facilityName: 'x' })).toEqual({
      asks: { TKK: true, SHJ: 'perhaps' },
      facilityName: 'x',
    });
    expect(settingsFromV1({ askTKK: true, asks: { YZK: false } })).toEqual({ asks: { TKK: true, YZK: false } });
    const named = { askTKK: true, askYZK: true, asks: { TKK: false } };
    expect(settingsFromV1(named)).toEqual({ askTKK: true, asks: { TKK: false, YZK: true } });
    for (const other of [{ asks: { TKK: true } }, null, 'x', ['askTKK']]) expect(settingsFromV1(other)).toBe(other);
  });
});

describe('the failure code of a message', () => {
  const state = { device: 'front-1', lane: 1, version: '0.1.0', profile: 'release', status: 'out-of-service' };
  const said = {
    state: { ...state, catalogueVersion: '2024-10-07', since: 1 },
    result: {
      facility: 'clinic-0001',
      device: 'front-1',
      requestId: '00000000-0000-4000-8000-000000000001',
      outcome: 'failed',
    },
  } as const;
  const codes = Object.keys(failureRules);

  it.each([
    ['state', 'failureCode'],
    ['result', 'messageCode'],
  ] as const)('of a %s is %s in version 1, as that takes it; it comes back as it went', (leaf, name) => {
    const { schema } = { state: { schema: stateSchema }, result: { schema: resultSchema } }[leaf];
    const words = codes.map((code) => {
      const told = inWordsOf(1, leaf, { ...said[leaf], code }) as Record<string, string>;
      expect(v1Schemas[leaf].safeParse(told).success, code).toBe(true);
      expect(schema.parse(told)).toEqual({ ...said[leaf], code });
      expect(inWordsOf(newestWire, leaf, { ...said[leaf], code })).toEqual({ ...said[leaf], code });
      return told[name];
    });
    // No word of version 1 means two failures.
    expect(new Set(words).size).toBe(codes.length);
    expect(inWordsOf(1, leaf, { ...said[leaf], code: 'card.number-b-wrong' })).toMatchObject({
      [name]: 'card.face-number-wrong',
    });
  });

  it('of a receipt has the word of version 1 under the name that it has today', () => {
    const receipt = {
      ...{ facility: 'clinic-0001', device: 'front-1', requestId: '00000000-0000-4000-8000-000000000001' },
      ...{ documentHash: 'h'.repeat(43), receivedAt: 1, agent: 'agent-1', verdict: 'refused' },
    };
    const told = inWordsOf(1, 'receipt', { ...receipt, code: 'card.number-b-wrong' });
    expect(told).toEqual({ ...receipt, code: 'card.face-number-wrong' });
    expect(inWordsOf(1, 'receipt', receipt)).toEqual(receipt);
  });

  it('that is not there, or no text, is none in version 1', () => {
    for (const message of [said.state, said.result, { ...said.result, code: 7 }, ['code']])
      expect(codeToV1('result', message)).toBe(message);
  });

  it('that is there twice, or no code, is judged by the schema', () => {
    expect(resultSchema.safeParse({ ...said.result, code: 'a.b', messageCode: 'a.b' }).success).toBe(false);
    expect(resultSchema.safeParse({ ...said.result, messageCode: 7 }).success).toBe(false);
    expect(resultSchema.safeParse({ ...said.result, messageCode: ['card.face-number-wrong'] }).success).toBe(false);
    expect(stateSchema.safeParse(null).success).toBe(false);
  });
});
