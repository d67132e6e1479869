import { pino } from 'pino';
import type { LogLevel } from '../wire/terminal-about.ts';
import { admitLogFields, type LogEventFields, type LogEventName, logEvents } from './log-events.ts';

/** The only way to log. A line is an event of the catalogue (src/log/log-events.ts) with its typed fields. */
export interface EventLog {
  /** What the catalogue does not know is left out and counted in a `log.field-refused` line; never throws. */
  event<N extends LogEventName>(name: N, fields: LogEventFields<N>): void;
}

/** Every event of the catalogue, whatever the level says, with the fields that were admitted. */
type LogListener = (name: LogEventName, fields: Readonly<Record<string, unknown>>) => void;

export interface AdjustableLog extends EventLog {
  readonly level: LogLevel;
  /** From the next line on, until the process begins anew. */
  setLevel(level: LogLevel): void;
  /** The newest lines that were written, oldest first, each one JSON object: what a support bundle is made of. */
  recent(): readonly string[];
  /** For counting. */
  subscribe(listener: LogListener): void;
}

/** A line has some 150 bytes. */
const mostRecent = 400;

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

export const createEventLog = ({ format, level = 'info', write }: EventLogOptions): AdjustableLog => {
  const output = write ?? (format === 'silent' ? () => {} : standardErrorWriter());
  const recent: string[] = [];
  const listeners: LogListener[] = [];
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (line: string) => {
        recent.push(line);
        if (recent.length > mostRecent) recent.shift();
        if (format !== 'silent') output(format === 'json' ? line : prettyLine(line));
      },
    },
  );
  const writeLine = (name: LogEventName, fields: Readonly<Record<string, unknown>>): void => {
    for (const listener of listeners) listener(name, fields);
    log[logEvents[name].level]({ event: name, ...fields });
  };
  return {
    event: (name, fields) => {
      if (!Object.hasOwn(logEvents, name)) return writeLine('log.field-refused', { fields: 1 });
      const { admitted, refused } = admitLogFields(name, fields);
      writeLine(name, admitted);
      if (refused > 0) writeLine('log.field-refused', { fields: refused });
    },
    get level() {
      return log.level as LogLevel;
    },
    setLevel: (next) => {
      log.level = next;
    },
    recent: () => [...recent],
    subscribe: (listener) => void listeners.push(listener),
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
