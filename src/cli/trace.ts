import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { createPcscCardReader } from '../../drivers/card-reader/pcsc-card-reader.ts';
import type { CardSession } from '../ports/card-reader.ts';
import {
  createTraceRedactor,
  diffTraces,
  formatTrace,
  parseRawTrace,
  parseTrace,
  type TraceLine,
} from '../protocol/card/card-trace.ts';
import { readGiven } from '../storage/read-given.ts';
import { type ReadCardOptions, readCard } from '../terminal/card/read-card.ts';
import { recordTrace } from '../terminal/card/record-trace.ts';
import { cardCryptography } from '../trust/card-cryptography.ts';
import { reasonOf, refuse } from './say.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
/** Throws, with the file's name, whatever is wrong. */
const parsed = <T>(path: string, parse: (text: string) => T): T => {
  const text = readGiven(path).toString('utf8');
  try {
    return parse(text);
  } catch (error) {
    throw new Error(`${path}: ${reasonOf(error)}`, { cause: error });
  }
};
const read = (path: string): readonly TraceLine[] => parsed(path, parseTrace);
const cacheFolder = fileURLToPath(new URL('../../.cache', import.meta.url));

/** What is read of a card without any secret: no printed number, no PIN. */
const withoutSecrets = (): ReadCardOptions => ({
  cardFrontReader: null,
  withIssuerCertificate: true,
  trustedCvIssuers: [],
  cryptography: cardCryptography,
  wallMs: Date.now(),
  signal: new AbortController().signal,
});

const recordFromReader = async (readerName: string): Promise<readonly TraceLine[]> => {
  const reader = createPcscCardReader({ reader: readerName });
  try {
    const session = await new Promise<CardSession>((resolve, reject) => {
      reader.subscribe((event) => {
        if (event.type === 'card-inserted') resolve(event.session);
        if (event.type === 'reader-lost') say(`${event.failure.code}: waiting for a reader`);
        if (event.type === 'card-unreadable') reject(new Error(`${event.failure.code}: ${event.failure.detail ?? ''}`));
      });
    });
    const lines: TraceLine[] = [];
    const reading = await readCard(
      recordTrace(session, cardCryptography.sha256, (line) => lines.push(line)),
      withoutSecrets(),
    );
    await session.end();
    say(reading.ok ? `read: ${reading.value.identity.certificateState}` : `not read: ${reading.failure.code}`);
    return lines;
  } finally {
    await reader.close();
  }
};

/** 0 when our code does with this card what it did when the trace was made. */
const replay = async (path: string, persona: string): Promise<number> => {
  const { replayTrace } = await import('../../drivers/virtual/replay-session.ts');
  const { makePersonasCard } = await import('../../drivers/virtual/play-card.ts');
  const { card } = await makePersonasCard(persona, cacheFolder);
  const session = replayTrace(read(path), card);
  const reading = await readCard(session, withoutSecrets());
  say(reading.ok ? `read: ${reading.value.identity.pin.state}` : `not read: ${reading.failure.code}`);
  const divergences = session.divergences();
  say(
    divergences.length === 0 ? 'as recorded' : `differs from line ${divergences[0]} on (${divergences.length} lines)`,
  );
  return divergences.length === 0 ? 0 : 1;
};

const diff = (first: string, second: string, ignoreAnswers: boolean): number => {
  const differences = diffTraces(read(first), read(second)).filter(({ what }) => !ignoreAnswers || what !== 'answer');
  for (const { line, what } of differences) say(`line ${line}: ${what}`);
  if (differences.length === 0) say('the same');
  return differences.length === 0 ? 0 : 1;
};

const redact = (path: string): readonly TraceLine[] => {
  const redactExchange = createTraceRedactor(cardCryptography.sha256);
  return parsed(path, parseRawTrace).flatMap((exchange) => redactExchange(exchange) ?? []);
};

/** 0: as it should be, 1: something else, 2: it could not be found out. */
const guarded =
  <Args extends unknown[]>(work: (...args: Args) => Promise<number> | number) =>
  async (...args: Args): Promise<void> => {
    try {
      process.exitCode = await work(...args);
    } catch (error) {
      refuse('trace', error);
    }
  };

export const register = (program: Command): void => {
  const trace = program
    .command('trace')
    .description('APDU traces that can be shown to others: nothing personal in them');
  trace
    .command('record <file>')
    .description('reads the card on the reader without any secret and writes what was said, redacted')
    .option('--reader <name>', "part of the reader's name", '')
    .action(
      guarded(async (file: string, options: { reader: string }) => {
        const lines = await recordFromReader(options.reader);
        writeFileSync(file, formatTrace(lines), { mode: 0o600 });
        say(`${lines.length} exchanges in ${file}`);
        return 0;
      }),
    );
  trace
    .command('redact <raw> <file>')
    .description('redacts a trace of other software: JSON Lines of {"command": hex, "response": hex}')
    .action(
      guarded((raw: string, file: string) => {
        const lines = redact(raw);
        writeFileSync(file, formatTrace(lines), { mode: 0o600 });
        say(`${lines.length} exchanges in ${file}`);
        return 0;
      }),
    );
  trace
    .command('replay <file>')
    .description("runs today's code against a recorded card; exit code 1 when it does something else than then")
    .option('--persona <id>', 'whose card stands in for what was redacted', 'hanako')
    .action(guarded((file: string, options: { persona: string }) => replay(file, options.persona)));
  trace
    .command('diff <first> <second>')
    .description('tells where two traces part; exit code 1 when they do')
    .option('--ignore-answers', 'two people: only commands and status words count')
    .action(
      guarded((first: string, second: string, options: { ignoreAnswers?: true }) =>
        diff(first, second, options.ignoreAnswers === true),
      ),
    );
};
