import { closeSync, openSync, writeSync } from 'node:fs';
import { catalogueAt } from '../catalogue/load-catalogue.ts';
import { recordVisits } from '../terminal/visit/record-visit.ts';
import type { SessionRunner } from '../terminal/visit/session-runner.ts';

/** A new file for a tape; throws when there is one of this name. To be opened before a terminal is begun for it. */
export const openTapeFile = (file: string) => {
  const output = openSync(file, 'wx', 0o600);
  return {
    /** Writes down what happens from now on; returns how to end that. `useless`: why the tape cannot be replayed. */
    record: (runner: SessionRunner, useless: (why: string) => void): (() => void) => {
      const stop = recordVisits(
        runner,
        catalogueAt,
        (line) => void writeSync(output, `${JSON.stringify(line)}\n`),
        (atMs) =>
          useless(`the redacted story parts from the real one at ${Math.round(atMs)} ms: this tape is of no use`),
      );
      return () => {
        stop();
        closeSync(output);
      };
    },
  };
};
