import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderLogEvents } from '../../scripts/generate/render-log-events.ts';
import { createEventLog, describeError } from '../../src/log/event-log.ts';
import { type LogEventName, logEvents } from '../../src/log/log-events.ts';

const session = '0b9d5cf6-4a0e-4e0c-8a51-3f0e0a1b2c3d';

const record = (format: 'json' | 'pretty' = 'json') => {
  const lines: string[] = [];
  const log = createEventLog({ format, level: 'debug', write: (line) => lines.push(line) });
  /** What a caller can do who got round the compiler. */
  const force = log.event as (name: string, fields: Record<string, unknown>) => void;
  return { lines, log, force };
};

describe('a log line', () => {
  test('is one JSON object: level, time, event and its fields', () => {
    const { lines, log } = record();
    log.event('session.stage', { session, stage: 'card', ms: 812 });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      event: 'session.stage',
      session,
      stage: 'card',
      ms: 812,
    });
  });

  test('is readable at a terminal', () => {
    const { lines, log } = record('pretty');
    log.event('bus.connected', { ms: 12 });
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {3}bus\.connected +ms=12\n$/);
  });

  test('below the level is not written', () => {
    const lines: string[] = [];
    const log = createEventLog({ format: 'json', level: 'warn', write: (line) => lines.push(line) });
    log.event('bus.connected', { ms: 12 });
    log.event('bus.disconnected', {});
    expect(lines.map((line) => JSON.parse(line).event)).toEqual(['bus.disconnected']);
  });

  test('without its field, with a field more, with free text: each is refused by the compiler', () => {
    const { lines, log } = record();
    // @ts-expect-error a field is missing
    log.event('session.stage', { session, stage: 'card' });
    // @ts-expect-error a field that the catalogue does not know
    log.event('bus.connected', { ms: 1, patient: '甲野 太郎' });
    // @ts-expect-error a word outside the list
    log.event('session.stage', { session, stage: '甲野 太郎', ms: 1 });
    // @ts-expect-error text where a number belongs
    log.event('pin.refused', { session, triesLeft: '2' });
    // @ts-expect-error an event that the catalogue does not know
    log.event('patient.greeted', { name: '甲野 太郎' });
    // … and at run time each is left out and counted.
    expect(lines.join('')).not.toContain('甲野');
    expect(lines.filter((line) => JSON.parse(line).event === 'log.field-refused')).toHaveLength(5);
  });
});

/** Names, numbers and addresses as people and cards write them. None has the form of an id, a version or a code. */
const canaries = [
  'カナリヤ花子',
  'CANARY HANAKO',
  'canary hanako',
  '4071',
  '123456789012',
  '東京都港区',
  '19670314',
  '\u{20bb7}',
];

describe('whatever anybody tries to log', () => {
  test('no field of the catalogue takes a name, a number or an address for what belongs into it', () => {
    const taken = Object.entries(logEvents).flatMap(([name, { fields }]) =>
      Object.entries(fields).flatMap(([field, { accepts }]) =>
        canaries.filter((canary) => accepts(canary)).map((canary) => `${name}.${field}: ${canary}`),
      ),
    );
    expect(taken).toEqual([]);
  });

  test('a name, a number, an address never reaches a line through a text field', () => {
    // Whatever stands beside it, with a space between: glued to the right letters a number would be a device's id
    // (`a4071` is one), and what is an id all over may be logged as one.
    const text = fc
      .tuple(fc.string({ maxLength: 5 }), fc.constantFrom(...canaries), fc.string({ maxLength: 5 }))
      .map((parts) => parts.join(' '));
    const value = fc.oneof(
      text,
      fc.array(text),
      fc.record({ inner: text }),
      text.map((message) => new Error(message)),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(logEvents)),
        fc.array(fc.tuple(text, value)),
        value,
        (name, more, bad) => {
          const { lines, force } = record();
          const known = Object.keys(logEvents[name as LogEventName].fields).map((field) => [field, bad]);
          force(name, Object.fromEntries([...known, ...more]));
          const written = lines.map((line) => JSON.stringify({ ...JSON.parse(line), time: '' })).join('');
          for (const canary of canaries) expect(written).not.toContain(canary);
        },
      ),
    );
  });

  test.each([
    ['an event nobody knows', 'patient.greeted', {}],
    ['a name from the prototype', 'constructor', {}],
    ['a field from the prototype', 'bus.connected', { ms: 1, toString: 'canary' }],
    ['an endless number', 'bus.connected', { ms: Number.POSITIVE_INFINITY }],
    ['a number with a value in its fraction', 'pin.refused', { session, triesLeft: 2.4071 }],
    ['an object that turns into a number', 'bus.connected', { ms: { valueOf: (): number => 4071 } }],
  ])('%s is refused and told', (_about, name, fields) => {
    const { lines, force } = record();
    force(name, fields);
    expect(lines.map((line) => JSON.parse(line).event)).toContain('log.field-refused');
    expect(lines.join('')).not.toMatch(/canary|4071/);
  });

  test('docs/log-events.md tells the catalogue as it stands (node scripts/generate/render-log-events.ts)', () => {
    expect(readFileSync('docs/log-events.md', 'utf8')).toBe(renderLogEvents());
  });

  test('every event of the catalogue is logged by somebody', () => {
    const sources = ['src', 'drivers', 'scripts']
      .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)))
      .filter((path) => path.endsWith('.ts') && !path.includes('node_modules') && !path.endsWith('log-events.ts'))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
    expect(Object.keys(logEvents).filter((name) => !sources.includes(`'${name}'`))).toEqual([]);
  });

  test('an error nobody expected is told by class, code and place, never by its message', () => {
    const thrown = Object.assign(new RangeError('canary 4071'), { code: 'ENOSPC' });
    thrown.stack =
      'RangeError: canary 4071\n    at f (file:///x/node_modules/a.js:1:2)\n    at g (file:///x/src/terminal/delivery/outbox.ts:12:3)';
    expect(describeError(thrown)).toEqual({
      error: 'RangeError',
      errorCode: 'ENOSPC',
      place: 'src/terminal/delivery/outbox.ts:12:3',
    });
    const { lines, log } = record();
    log.event('process.error', describeError(thrown));
    log.event('process.error', describeError('canary 4071'));
    expect(lines).toHaveLength(2);
    expect(lines.join('')).not.toContain('canary');
  });

  test('no field of the catalogue hides what every line carries', () => {
    const clashes = Object.entries(logEvents).flatMap(([name, { fields }]) =>
      Object.keys(fields)
        .filter((field) => ['level', 'time', 'event', 'pid', 'hostname', 'msg'].includes(field))
        .map((field) => `${name}.${field}`),
    );
    expect(clashes).toEqual([]);
  });
});
