import { beforeEach, describe, expect, test } from 'vitest';
import { type CertificateTeller, createSelfReport } from '../../../src/terminal/delivery/self-report.ts';
import { lastWill } from '../../../src/terminal/delivery/tell-state.ts';
import { type StateMessage, stateSchema } from '../../../src/wire/messages.ts';
import { parseTopic } from '../../../src/wire/topics.ts';
import { newestWire, releaseOf, wireOf } from '../../../src/wire/versions.ts';

const state: StateMessage = {
  ...{ device: 'front-1', lane: 1, version: '0.2.0', profile: 'release', status: 'idle' },
  ...{ catalogueVersion: '2024-10-07', since: 1 },
};
const uuid = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const read = (payload: Uint8Array): StateMessage => stateSchema.parse(JSON.parse(new TextDecoder().decode(payload)));

describe('what a terminal says of itself', () => {
  let said: StateMessage[];
  let certificate: Parameters<CertificateTeller>[0];
  let report: ReturnType<typeof createSelfReport>;
  const last = (): StateMessage | undefined => said.at(-1);
  beforeEach(() => {
    said = [];
    report = createSelfReport(
      (payload) => said.push(read(payload)),
      (listener) => {
        certificate = listener;
      },
    );
    report.stateTeller.heard('agent-1', newestWire);
  });
  const begin = (): void => {
    report.stateTeller.setConnected(true);
    report.stateTeller.tell(state);
    said.length = 0;
  };

  test('is nothing before there is a state and a connection, and the newest once there are', () => {
    expect(report.stateTeller.tellNow()).toBe(false);
    report.stateTeller.tell(state);
    report.stateTeller.tell({ ...state, status: 'busy' });
    expect(report.stateTeller.tellNow()).toBe(false);
    expect(said).toEqual([]);
    report.stateTeller.setConnected(true);
    expect(said.map(({ status }) => status)).toEqual(['busy']);
    expect(report.stateTeller.tellNow()).toBe(true);
    report.stateTeller.setConnected(false);
    report.stateTeller.tell(state);
    expect(said).toHaveLength(2);
    expect(wireOf(last()?.version ?? '')).toBe(newestWire);
    expect(releaseOf(last()?.version ?? '')).toBe(state.version);
  });

  test('carries what is true besides the session, each at once, and nothing that was never told', () => {
    begin();
    report.stateTeller.tellNow();
    const { version: _with, ...bare } = last() ?? state;
    const { version: _without, ...told } = state;
    expect(bare).toEqual(told);
    const about = { run: uuid(1), logLevel: 'info', returns: { reader: 0, face: 1, screen: 2 } } as const;
    report.tellAbout(about);
    expect(last()).toMatchObject({ about });
    report.tellFigures({ reader_up: 1 });
    expect(last()).toMatchObject({ about, figures: { reader_up: 1 } });
    report.tellUpdate({ state: 'idle' });
    expect(last()).toMatchObject({ update: { state: 'idle' } });
    report.tellSettingsVersion(7);
    expect(last()).toMatchObject({ about, figures: { reader_up: 1 }, update: { state: 'idle' }, settingsVersion: 7 });
    expect(said).toHaveLength(5);
  });

  test('names late requests once each, the newest eight', () => {
    begin();
    for (const number of [1, 2, 2, 3]) report.tellLate(uuid(number));
    expect(last()?.late).toEqual([uuid(1), uuid(2), uuid(3)]);
    for (const number of [4, 5, 6, 7, 8]) report.tellLate(uuid(number));
    expect(last()?.late).toHaveLength(8);
    report.tellLate(uuid(9));
    expect(last()?.late).toEqual([2, 3, 4, 5, 6, 7, 8, 9].map(uuid));
    expect(said).toHaveLength(10);
  });

  test('names the request that was accepted last, whichever is heard of last, with whatever is told next', () => {
    begin();
    report.noteAccepted({ requestId: uuid(2), at: 200 });
    report.noteAccepted({ requestId: uuid(1), at: 100 });
    expect(said).toEqual([]);
    report.stateTeller.tellNow();
    expect(last()?.lastAccepted).toEqual({ requestId: uuid(2), at: 200 });
    report.noteAccepted({ requestId: uuid(3), at: 200 });
    report.stateTeller.tellNow();
    expect(last()?.lastAccepted).toEqual({ requestId: uuid(3), at: 200 });
  });

  test('warns of its certificate when the warning changes, and not with every look at it', () => {
    begin();
    certificate({ endsMs: 5, days: 30 });
    expect(last()?.certificateWarning).toEqual({ days: 30, endsAt: 5 });
    certificate({ endsMs: 5, days: 30 });
    expect(said).toHaveLength(1);
    certificate({ endsMs: 5, days: 14 });
    certificate({ endsMs: 6, days: 14 });
    expect(said.map(({ certificateWarning }) => certificateWarning)).toEqual([
      { days: 30, endsAt: 5 },
      { days: 14, endsAt: 5 },
      { days: 14, endsAt: 6 },
    ]);
    certificate({ endsMs: 7, days: null });
    expect(last()).not.toHaveProperty('certificateWarning');
    certificate({ endsMs: 8, days: null });
    expect(said).toHaveLength(4);
  });

  test('is in the words of the oldest agent that was heard, and is said anew when that changes', () => {
    begin();
    report.tellSettingsVersion(7);
    said.length = 0;
    report.stateTeller.heard('agent-1', newestWire);
    report.stateTeller.heard('agent-2', newestWire);
    expect(said).toEqual([]);
    report.stateTeller.heard('agent-3', undefined);
    expect(report.stateTeller.wire()).toBe(1);
    expect(said.map(({ settingsVersion }) => settingsVersion)).toEqual([undefined]);
    report.stateTeller.heard('agent-3', newestWire + 1);
    expect(said.map(({ settingsVersion }) => settingsVersion)).toEqual([undefined, 7]);
  });
});

test('before any agent is heard it is in the words of version 1', () => {
  const said: StateMessage[] = [];
  const report = createSelfReport((payload) => said.push(read(payload)), undefined);
  expect(report.stateTeller.wire()).toBe(1);
  report.stateTeller.setConnected(true);
  report.tellSettingsVersion(7);
  expect(said).toEqual([]);
  report.stateTeller.tell(state);
  expect(said.map(({ settingsVersion }) => settingsVersion)).toEqual([undefined]);
});

test('the last will is the state of this device, offline', () => {
  const { status: _status, ...rest } = state;
  const { topic, payload } = lastWill('clinic', rest);
  expect(parseTopic(topic)).toEqual({ facility: 'clinic', device: 'front-1', leaf: 'state' });
  const { version, ...told } = read(payload);
  expect(told).toEqual({ ...rest, version: undefined, status: 'offline' });
  expect(releaseOf(version)).toBe(state.version);
});
