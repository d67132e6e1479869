/**
 * What an evaluation has computed, kept in the git-ignored .cache/evaluations: a run that was stopped goes on where it
 * was, and one that is repeated costs seconds. A result belongs to the code and the models that it came from: with any
 * of them changed it is computed anew, and what is out of date is deleted.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const keptIn = join(root, '.cache', 'evaluations');

const filesUnder = (path: string): string[] =>
  path.endsWith('.ts') || path.endsWith('.json')
    ? [path]
    : readdirSync(join(root, path), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(path, name));

const manifestFile = 'models/manifest.json';
/** The manifest without its thresholds: what the models see does not depend on them. */
const modelsAlone = (manifest: string): string =>
  JSON.stringify(JSON.parse(manifest), (key, value) =>
    key === 'thresholds' || key === 'defaultThreshold' || key === 'calibration' ? undefined : value,
  );

/** One word for the present text of these files and folders (`.ts` within folders), relative to the project's root. */
const digestOfCode = (paths: readonly string[]): string => {
  const hash = createHash('sha256').update(modelsAlone(readFileSync(join(root, manifestFile), 'utf8')));
  for (const file of paths.flatMap(filesUnder).sort()) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest('hex').slice(0, 16);
};

/** What an embedding depends on besides the models. */
export const codeOfEmbedding = [
  'src/face/picture',
  'src/face/models/detect-faces.ts',
  'src/face/models/find-landmarks.ts',
  'src/face/models/embed-face.ts',
  'src/face/models/decode-reference.ts',
  'src/face/models/model-session.ts',
  'src/face/attempt/find-face.ts',
  'src/face/attempt/embed-reference.ts',
] as const;
/** What a frame's finding depends on besides the models: the code that looks at it. */
export const codeOfLooking = [
  ...codeOfEmbedding,
  'src/face/measures',
  'src/face/models/detect-attack.ts',
  'src/face/attempt/face-pipeline.ts',
  'src/face/attempt/choose-hint.ts',
] as const;
/** What the outcome of a whole attempt depends on besides: the course, and whoever paints the frames. */
export const codeOfAttempts = ['src/face', manifestFile, 'scripts/evaluate', 'drivers/virtual'] as const;

const asText = (value: unknown): string =>
  JSON.stringify(value, (_, part) =>
    part instanceof Float32Array
      ? { float32: Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('base64') }
      : part,
  );
const fromText = (text: string): unknown =>
  JSON.parse(text, (_, part) => {
    if (typeof part?.float32 !== 'string') return part;
    const bytes = Buffer.from(part.float32, 'base64');
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  });

export const hashOf = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex').slice(0, 24);

/** A seed for one part of an evaluation: what chance decides there depends on no other part. */
export const seedFor = (...words: readonly (string | number)[]): number =>
  Number.parseInt(hashOf(words.join(' ')).slice(0, 8), 16);

export class KeptResults {
  readonly #file: string;
  readonly #texts = new Map<string, string>();
  /** How many were there already. */
  reused = 0;

  /** `name`: of the evaluation or the stage; `code`: what its results come from. */
  constructor(name: string, code: readonly string[]) {
    mkdirSync(keptIn, { recursive: true });
    const file = `${name}-${digestOfCode(code)}.jsonl`;
    for (const old of readdirSync(keptIn))
      if (old.startsWith(`${name}-`) && /^[0-9a-f]{16}\.jsonl$/.test(old.slice(name.length + 1)) && old !== file)
        rmSync(join(keptIn, old));
    this.#file = join(keptIn, file);
    if (!existsSync(this.#file)) return;
    for (const line of readFileSync(this.#file, 'utf8').split('\n')) {
      const at = line.indexOf(' ');
      // A run that was killed may have left half a line.
      if (at > 0 && line.endsWith(' .')) this.#texts.set(line.slice(0, at), line.slice(at + 1, -2));
    }
  }

  /** `key` without blanks. What `compute` gives must be plain data, Float32Arrays included; each call gives a copy. */
  async of<T>(key: string, compute: () => Promise<T>): Promise<T> {
    const known = this.#texts.get(key);
    if (known !== undefined) {
      this.reused++;
      return fromText(known) as T;
    }
    const value = await compute();
    const text = asText(value);
    this.#texts.set(key, text);
    appendFileSync(this.#file, `${key} ${text} .\n`);
    return value;
  }
}
