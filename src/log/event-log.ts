import { pino } from 'pino';
import { admitLogFields, type LogEventFields, type LogEventName, type LogLevel, logEvents } from './log-events.ts';

/** The only way to log. A line is an event of the catalogue (src/log/log-events.ts) with its typed fields. */
export interface EventLog {
  /** What the catalogue does not know is left out and counted in a `log.field-refused` line; never throws. */
  event<N extends LogEventName>(name: N, fields: LogEventFields<N>): void;
}

type EventLogOptions = {
  /** `json`: one object a line, for journald. `pretty`: for a person at a terminal. `silent`: for tests. */
  readonly format: 'json' | 'pretty' | 'silent';
  /** Lines below this level are not written; default `info`. */
  readonly level?: LogLevel;
  /** Takes complete lines, newline included; default standard error, written synchronously so that a crash loses none. */
  readonly write?: (line: string) => void;
};

const standardErrorWriter = (): ((line: string) => void) => {
  const destination = pino.destination({ fd: 2, sync: true });
  return (line) => destination.write(line);
};

const prettyLine = (json: string): string => {
  const { level, time, event, ...fields } = JSON.parse(json) as Record<string, string | number>;
  const shown = Object.entries(fields).map(([field, value]) => `${field}=${value}`);
  const mark = level === 'info' ? ' ' : level === 'debug' ? '·' : '!';
  return `${String(time).slice(11, 23)} ${mark} ${String(event).padEnd(22)} ${shown.join(' ')}\n`;
};

export const createEventLog = ({ format, level = 'info', write }: EventLogOptions): EventLog => {
  if (format === 'silent') return { event: () => {} };
  const output = write ?? standardErrorWriter();
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => output(format === 'json' ? line : prettyLine(line)) },
  );
  const writeLine = (name: LogEventName, fields: Readonly<Record<string, unknown>>): void =>
    log[logEvents[name].level]({ event: name, ...fields });
  return {
    event: (name, fields) => {
      if (!Object.hasOwn(logEvents, name)) return writeLine('log.field-refused', { fields: 1 });
      const { admitted, refused } = admitLogFields(name, fields);
      writeLine(name, admitted);
      if (refused > 0) writeLine('log.field-refused', { fields: refused });
    },
  };
};

/**
 * What may be logged of an error nobody expected: its class, its system code and the first place in our own source.
 * Never its message, which may quote what was being worked on.
 */
export const describeError = (thrown: unknown): LogEventFields<'process.error'> => {
  if (!(thrown instanceof Error)) return { error: 'Error' };
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
  const place = /((?:src|drivers|scripts)\/[a-z0-9/-]+\.ts:\d+:\d+)/.exec(thrown.stack ?? '')?.[1];
  return {
    error: thrown.constructor.name,
    ...(code === undefined ? {} : { errorCode: code }),
    ...(place === undefined ? {} : { place }),
  };
};
