import { beforeEach, describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../../scripts/beds/simulated-clock.ts';
import { failure } from '../../../src/core/failure.ts';
import { createEventLog } from '../../../src/log/event-log.ts';
import { type ClinicEvent, ClinicNews } from '../../../src/terminal/delivery/clinic-news.ts';
import type { SettingsMessage } from '../../../src/wire/messages.ts';

const offline = failure('delivery.offline', 'not connected yet');
const untrusted = failure('delivery.broker-untrusted', 'x');
const full = failure('storage.damaged', 'x');
const newer = failure('storage.newer', 'x');
const connected: ClinicEvent = { type: 'connected' };
const disconnected = (why: typeof offline): ClinicEvent => ({ type: 'disconnected', failure: why });
const receipt = (requestId: string) => ({ type: 'receipt', session: 's', receipt: { requestId } }) as ClinicEvent;
const result = (requestId: string) => ({ type: 'result', result: { requestId } }) as ClinicEvent;
const settingsOf = (version: number) => ({ version }) as SettingsMessage;

let clock: SimulatedClock;
let news: ClinicNews;
let said: { readonly name: string }[];
let heard: ClinicEvent[];
/** What somebody hears who comes now. */
const nowHeard = (): readonly ClinicEvent[] => {
  const events: ClinicEvent[] = [];
  news.subscribe((event) => events.push(event))();
  return events;
};

beforeEach(() => {
  clock = new SimulatedClock();
  [said, heard] = [[], []];
  const log = createEventLog({ format: 'silent' });
  log.event = ((name: string, fields: object) => void said.push({ name, ...fields })) as typeof log.event;
  news = new ClinicNews(clock, log);
  news.subscribe((event) => heard.push(event));
  heard.length = 0;
});

test('who listens only after a visit of before the restart was answered hears of the visit and of its answers', () => {
  news.foundEarlier({ type: 'earlier-visit', requestId: 'own', session: 's', mark: 'm' });
  const expired = (requestId: string): ClinicEvent => ({ type: 'request-expired', requestId, session: 's' });
  for (const of of [receipt, result, expired]) for (const request of ['own', 'other']) news.tell(of(request));
  expect(heard).toHaveLength(7);
  expect(nowHeard().filter(({ type }) => !['disconnected', 'challenges-ready'].includes(type))).toEqual([
    { type: 'earlier-visit', requestId: 'own', session: 's', mark: 'm' },
    receipt('own'),
    result('own'),
    expired('own'),
  ]);
});

test('settings that hold are told to whoever listens', () => {
  news.setSettings(settingsOf(3));
  expect(heard).toEqual([{ type: 'settings', message: settingsOf(3) }]);
});

describe('whoever comes hears how things stand', () => {
  test('at the start: no connection, no challenges, and nothing that is not known', () => {
    expect(nowHeard()).toEqual([disconnected(offline), { type: 'challenges-ready', ready: false }]);
    expect([news.connected, news.cause]).toEqual([false, offline]);
  });

  test('later: all of it, as it is then', async () => {
    news.setConnection(true, undefined);
    news.setReady(true);
    news.setAgent(failure('agent.disk-full', 'x'));
    news.setStore(full);
    news.setSettings(settingsOf(3));
    news.setTime(1_000_000, true);
    await clock.advance(2_500);
    expect(nowHeard()).toEqual([
      disconnected(full),
      { type: 'store', failure: full },
      { type: 'challenges-ready', ready: true },
      { type: 'agent', trouble: failure('agent.disk-full', 'x') },
      // By our steady clock from when it was said.
      { type: 'time', wallMs: 1_002_500, doubted: true },
      { type: 'settings', message: settingsOf(3) },
    ]);
    news.setStore(null);
    news.setAgent(null);
    expect(nowHeard()[0]).toEqual(connected);
    expect(nowHeard().map(({ type }) => type)).not.toContain('store');
    expect(nowHeard().map(({ type }) => type)).not.toContain('agent');
  });

  test('and nothing more once it has gone, or the link is closed', () => {
    const events: ClinicEvent[] = [];
    const leave = news.subscribe((event) => events.push(event));
    const before = events.length;
    leave();
    news.tell(receipt('a'));
    expect(events).toHaveLength(before);
    expect(heard).toEqual([receipt('a')]);
    news.close();
    news.tell(receipt('b'));
    expect(heard).toEqual([receipt('a')]);
  });
});

describe('news are told once', () => {
  test('a connection that comes, goes, or is away for another reason', async () => {
    await clock.advance(700);
    news.setConnection(true, undefined);
    news.setConnection(true, undefined);
    expect(heard).toEqual([connected]);
    expect(said).toHaveLength(1);
    await clock.advance(300);
    news.setConnection(false, offline);
    news.setConnection(false, undefined);
    news.setConnection(false, offline);
    expect(heard).toEqual([connected, disconnected(offline)]);
    await clock.advance(200);
    news.setConnection(false, untrusted);
    expect(heard).toEqual([connected, disconnected(offline), disconnected(untrusted)]);
    news.setConnection(false, untrusted);
    expect(heard).toHaveLength(3);
    expect(news.cause).toEqual(untrusted);
    await clock.advance(300);
    news.setConnection(true, undefined);
    // How long it was away.
    expect(said).toEqual([
      { name: 'bus.connected', ms: 700 },
      { name: 'bus.disconnected' },
      { name: 'bus.connected', ms: 500 },
    ]);
  });

  test('a store that does not open closes the way, whatever the broker says', () => {
    news.setConnection(true, undefined);
    heard.length = 0;
    news.setStore(null);
    expect(heard).toEqual([]);
    news.setStore(full);
    news.setStore(full);
    expect(heard).toEqual([{ type: 'store', failure: full }, disconnected(full)]);
    heard.length = 0;
    news.setStore(newer);
    news.setStore(null);
    expect(heard).toEqual([
      ...[{ type: 'store', failure: newer }, disconnected(newer)],
      ...[{ type: 'store', failure: null }, connected],
    ]);
  });

  test('challenges, the agent, the time', () => {
    news.setReady(false);
    expect(heard).toEqual([]);
    news.setReady(true);
    news.setReady(true);
    news.setReady(false);
    expect(heard.map((event) => event.type === 'challenges-ready' && event.ready)).toEqual([true, false]);
    heard.length = 0;
    news.setAgent(failure('agent.silent'));
    news.setAgent(null);
    expect(heard.map((event) => event.type === 'agent' && (event.trouble?.code ?? null))).toEqual([
      'agent.silent',
      null,
    ]);
    expect(said).toEqual([
      { name: 'part.lost', part: 'agent', code: 'agent.silent' },
      { name: 'part.found', part: 'agent' },
    ]);
    heard.length = 0;
    news.setTime(5_000, false);
    expect(heard).toEqual([{ type: 'time', wallMs: 5_000, doubted: false }]);
  });
});
