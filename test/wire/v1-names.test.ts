import { describe, expect, it } from 'vitest';
import { testSettings } from '../../scripts/beds/test-facility.ts';
import { settingsMessageSchema } from '../../src/wire/messages.ts';
import { inWordsOf } from '../../src/wire/translate.ts';
import { v1Schemas } from '../../src/wire/v1-messages.ts';
import { settingsFromV1 } from '../../src/wire/v1-names.ts';
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
    expect(v1Schemas.settings?.safeParse(told).success).toBe(true);
    expect(settingsMessageSchema.parse(told).facilitySettings).toEqual({ ...testSettings, asks });
  });

  it('say of later things what version 1 has nearest: no item that it does not know, 医科 for 訪問看護', () => {
    const later = { ...testSettings, institutionType: 'visiting-nurse', asks: { ...testSettings.asks, YBS: true } };
    expect(settingsOf(inWordsOf(1, 'settings', messageOf(later)))).toMatchObject({ institutionType: 'medical' });
    expect(settingsOf(inWordsOf(newestWire, 'settings', messageOf(later)))).toEqual(later);
  });

  it('in a clinic’s file are read; today’s names and nonsense pass unchanged', () => {
    expect(settingsFromV1({ askTKK: true, askSHJ: 'perhaps', facilityName: 'x' })).toEqual({
      asks: { TKK: true, SHJ: 'perhaps' },
      facilityName: 'x',
    });
    for (const other of [{ asks: { TKK: true } }, null, 'x', ['askTKK']]) expect(settingsFromV1(other)).toBe(other);
  });
});
