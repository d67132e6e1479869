import { z } from 'zod';

/* The forms of what proves the texts: files beside them that no process reads, only the check of words (npm run words). */

const sentence = z.string().min(1);

/**
 * Who read texts when, what each means, and `of`: the first 16 letters of the SHA-256 of the text that was read
 * (base64url), so that a text that changed since is seen.
 */
const reading = {
  made: z.iso.date(),
  how: sentence,
  means: z.record(z.string(), sentence),
  of: z.record(z.string(), z.string().length(16)),
};

/**
 * What texts of one language mean, put back from the text alone. `blind`: what a second reader wrote down who did not know
 * what they are meant to say, into English, oddities in [brackets]; `changedSince`: the day on which a text that is another
 * now than the one read blind, or that was not there then, became what it is.
 */
export const backTranslationsSchema = z.strictObject({
  language: sentence,
  into: z.enum(['ja', 'en']),
  ...reading,
  blind: z.strictObject({ ...reading, changedSince: z.record(z.string(), z.iso.date()) }).optional(),
});

/** The terms of every glossary: how the Japanese texts say them, and a pattern that finds the texts that do. */
export const termsSchema = z.strictObject({
  terms: z.record(z.string(), z.strictObject({ ja: sentence, in: sentence })),
});

/**
 * Terms in one language. `forms`: a text that says the term has one of them. `source`: where the word was read; null: no
 * source could be read that says it. `without`: texts that do without the term, and why.
 */
export const glossarySchema = z.strictObject({
  language: sentence,
  sources: z.record(
    z.string(),
    z.strictObject({ title: sentence, publisher: sentence, url: sentence, read: sentence }),
  ),
  terms: z.record(z.string(), z.strictObject({ forms: z.array(sentence).min(1), source: sentence.nullable() })),
  without: z.record(z.string(), z.record(z.string(), sentence)).default({}),
});
