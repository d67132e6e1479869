import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';

/** A place in the safety code and what stands there instead: text of the source, once in it. */
export type Change = readonly [file: string, text: string, instead: string];

const here = new URL('stand-ins/', import.meta.url).href;
const root = new URL('../../../', import.meta.url).href;

/** Which of Node's modules and packages the product's code gets from us, by the file that asks. */
export const standIns: readonly (readonly [wanted: string, from: RegExp, standIn: string])[] = [
  ['jose', /\/src\/(trust|terminal|agent)\//, 'cheap-jose.ts'],
  ['node:crypto', /\/(src\/(trust|terminal|agent|protocol|storage)|drivers\/virtual)\//, 'seeded-crypto.ts'],
  ['node:fs/promises', /\/src\/agent\/oqs-folder\/shared-folder\.ts$/, 'simulated-files.ts'],
  ['node:sqlite', /\/src\/(storage|agent\/journal)\//, 'simulated-sqlite.ts'],
  ['node:timers', /\/src\/agent\/journal\/group-commit\.ts$/, 'simulated-timers.ts'],
  ['./oqs-encoding.ts', /\/src\/agent\/oqs-folder\/hand-over\.ts$/, 'cheap-oqs-encoding.ts'],
  ['node:fs', /\/src\/storage\/(store-place|open-store|back-up)\.ts$/, 'simulated-places.ts'],
];

/** A file's source with these changes made. */
export const withChanges = (source: string, changes: readonly Change[]): string =>
  changes.reduce((before, [, text, instead]) => before.replace(text, () => instead), source);

/** Throws where the code is not any more what a change is about, or would not even be read with it: that finds nothing. */
export const mustFit = (changes: readonly Change[]): void => {
  for (const [file, text] of changes) {
    const source = readFileSync(new URL(file, root), 'utf8');
    if (source.split(text).length !== 2) throw new Error(`${file}: not exactly once in it: ${text}`);
    const own = changes.filter(([other]) => other === file);
    if (file.endsWith('.ts')) stripTypeScriptTypes(withChanges(source, own));
  }
};

/**
 * From now on the product's own files, unchanged, get simulated disks, ids and signatures where they import Node's.
 * `changes`: faults planted by hand, to see whether the simulator finds them.
 */
export const standInForNode = (changes: readonly Change[] = []): void => {
  mustFit(changes);
  registerHooks({
    resolve: (wanted, context, next) => {
      const from = context.parentURL ?? '';
      const found = standIns.find(([name, by]) => name === wanted && by.test(from));
      return found === undefined ? next(wanted, context) : { url: here + found[2], shortCircuit: true };
    },
    load: (url, context, next) => {
      const loaded = next(url, context);
      const own = changes.filter(([file]) => url === root + file);
      if (own.length === 0 || loaded.source == null) return loaded;
      const source = withChanges(Buffer.from(loaded.source as Uint8Array).toString(), own);
      return { ...loaded, source };
    },
  });
};
