import type { Command } from 'commander';
import { inWordsOf } from './say.ts';

/**
 * Exit status of what cannot be done as it was typed. 1 is left for what a command finds: a fault, a broken chain, a
 * difference. A script that mistypes `audit verify` must not read that the chain is broken.
 */
const typedWrong = 2;

/** commander's own words begin so. */
const theirs = 'error: ';

/** What commander says of a mistyped command, one line in the language of the locale. */
const mistakeInWords = (told: string): string =>
  told
    .trim()
    .split(/\n|(?<= is invalid\.) /)
    .map((part) => inWordsOf(part.startsWith(theirs) ? part.slice(theirs.length) : part))
    .join(' ');

/** For the whole program, before its commands are registered: they take it over. */
export const tellsMistakes = (program: Command): Command =>
  program
    .configureOutput({
      outputError: (told, write) => write(`${told.startsWith(theirs) ? 'uketsuke: ' : ''}${mistakeInWords(told)}\n`),
    })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : typedWrong));
