import { expect, test } from 'vitest';
import { z } from 'zod';
import { testSettings } from '../../scripts/beds/test-facility.ts';
import { settingsMessageSchema, stateSchema } from '../../src/wire/messages.ts';
import { inWordsOf, takeKnown } from '../../src/wire/translate.ts';
import { v1Schemas } from '../../src/wire/v1-messages.ts';
import { settingsToV1 } from '../../src/wire/v1-names.ts';
import { bothSpeak, newestWire, releaseOf, sayWire, wireOf } from '../../src/wire/versions.ts';

const hash = 'h'.repeat(43);
const key = { kty: 'EC', crv: 'P-256', x: hash, y: hash, kid: hash };
const settings = {
  facility: 'clinic-0001',
  device: 'front-1',
  version: 4,
  validFrom: 1,
  facilitySettings: testSettings,
  facilityKeys: { current: key },
};
const state = {
  device: 'front-1',
  lane: 1,
  version: sayWire('0.2.0'),
  profile: 'release',
  status: 'idle',
  catalogueVersion: '2024-10-07',
  since: 1,
} as const;

test('what version 1 does not know is left out for it, at any depth, and nothing else changes', () => {
  const { facilitySettings } = settings;
  const tomorrow = {
    ...settings,
    signedEpoch: 3,
    facilitySettings: { ...facilitySettings, planted: true, timeouts: { ...facilitySettings.timeouts, planted: 1 } },
  };
  const {
    homeConsent: _home,
    faceAtOnce: _face,
    voice: _voice,
    idleVoice: _idle,
    cameraPlace: _place,
    qualificationApp: _app,
    preCheckIn: _beforehand,
    ...known
  } = settingsToV1(facilitySettings) as typeof testSettings;
  expect(inWordsOf(1, 'settings', tomorrow)).toEqual({ ...settings, facilitySettings: known });
  expect(inWordsOf(newestWire, 'settings', tomorrow)).toBe(tomorrow);
  expect(inWordsOf(1, 'state', { ...state, settingsVersion: 3 })).toEqual(state);
});

test('a terminal of a test chain is, to version 1, one of a demonstration; any other profile is what it was', () => {
  expect(inWordsOf(1, 'state', { ...state, profile: 'test' })).toEqual({ ...state, profile: 'demo' });
  for (const profile of ['release', 'demo'] as const)
    expect(inWordsOf(1, 'state', { ...state, profile })).toEqual({ ...state, profile });
  expect(inWordsOf(newestWire, 'state', { ...state, profile: 'test' })).toEqual({ ...state, profile: 'test' });
});

test('what version 1 has no words for is a fault of whoever made it, not a message', () => {
  for (const wrong of [{ version: 'four' }, { facilitySettings: null }, { facilitySettings: { asks: true } }])
    expect(() => inWordsOf(1, 'settings', { ...settings, ...wrong })).toThrow('no words for this settings');
});

test('settings and state of a later release are read without what is not known, and it is named', () => {
  const { facilitySettings } = settings;
  const taken = takeKnown(settingsMessageSchema, {
    ...settings,
    facilitySettings: { ...facilitySettings, planted: 1 },
  });
  expect(taken).toEqual({ value: settings, unknown: ['facilitySettings.planted'] });
  expect(takeKnown(stateSchema, { ...state, a: 1, b: 2 })).toEqual({ value: state, unknown: ['a', 'b'] });
});

test('a known key with a wrong value is refused, whatever else is unknown', () => {
  expect(takeKnown(stateSchema, { ...state, lane: 'one', planted: 1 })).toBeNull();
  expect(takeKnown(settingsMessageSchema, 'no object')).toBeNull();
  expect(takeKnown(settingsMessageSchema, null)).toBeNull();
});

test('unknown keys in a list and in a chosen form are left out there', () => {
  const schema = z.strictObject({
    list: z.array(z.strictObject({ a: z.number() })),
    command: z.discriminatedUnion('name', [z.strictObject({ name: z.literal('restart'), part: z.string() })]),
  });
  const value = { list: [{ a: 1 }, { a: 2, planted: 3 }], command: { name: 'restart', part: 'face', planted: 1 } };
  expect(takeKnown(schema, value)).toEqual({
    value: { list: [{ a: 1 }, { a: 2 }], command: { name: 'restart', part: 'face' } },
    unknown: ['list.1.planted', 'command.planted'],
  });
});

test('which wire both ends speak: none said is version 1, a later one is ours', () => {
  expect(wireOf('0.1.0')).toBe(1);
  expect(wireOf(sayWire('0.2.0'))).toBe(newestWire);
  expect(wireOf(`9.0.0+wire.${newestWire + 7}`)).toBe(newestWire);
  expect(wireOf('0.2.0+wire.0')).toBe(1);
  expect(bothSpeak(undefined)).toBe(1);
  expect(releaseOf(sayWire('0.2.0'))).toBe('0.2.0');
});

test('version 1 takes what a terminal of this release says before it knows its agent', () => {
  expect(v1Schemas.state.safeParse(inWordsOf(1, 'state', state)).success).toBe(true);
});
