import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { billOfMaterials } from '../../scripts/generate/sbom.ts';

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const lockfile = read('package-lock.json');
const { dependencies, devDependencies } = read('package.json') as Record<string, Record<string, string>>;

describe('the supply chain', () => {
  const bom = billOfMaterials(lockfile);
  const versions = new Map(bom.components.map(({ name, version }) => [name, version]));

  test('names every package that package.json ships, in its exact version, and no tool of development', () => {
    for (const [name, version] of Object.entries(dependencies ?? {}))
      expect([name, versions.get(name)]).toEqual([name, version]);
    const tools = ['vitest', 'vite', 'typescript', '@biomejs/biome', 'playwright-core', 'fast-check', 'axe-core'];
    expect(tools.filter((name) => versions.has(name))).toEqual([]);
  });

  test('gives each package a licence and a hash', () => {
    expect(bom.components.filter(({ licenses }) => licenses.length === 0).map(({ name }) => name)).toEqual([]);
    expect(bom.components.filter(({ hashes }) => hashes[0]?.content.length !== 128).map(({ name }) => name)).toEqual(
      [],
    );
  });

  test('every package that is depended on is among them, beside ours', () => {
    const known = new Set([...bom.components.map((each) => each['bom-ref']), bom.metadata.component['bom-ref']]);
    expect(bom.dependencies.flatMap(({ dependsOn }) => dependsOn).filter((ref) => !known.has(ref))).toEqual([]);
    const root = bom.dependencies.find(({ ref }) => ref === bom.metadata.component['bom-ref']);
    expect(root?.dependsOn.length).toBeGreaterThanOrEqual(Object.keys(dependencies ?? {}).length);
  });

  test('versions are exact, scripts of packages do not run, and no registry is written down', () => {
    for (const version of Object.values({ ...dependencies, ...devDependencies })) expect(version).toMatch(/^\d/);
    for (const file of ['.npmrc', 'scripts/node24/.npmrc']) {
      expect(readFileSync(file, 'utf8')).toMatch(/^ignore-scripts=true$/m);
      expect(readFileSync(file, 'utf8')).toMatch(/^omit-lockfile-registry-resolved=true$/m);
    }
    const setup = readFileSync('scripts/setup', 'utf8');
    // Nobody's scripts run; the one add-on that is compiled is compiled by our own node-gyp.
    expect(setup).not.toMatch(/npm rebuild|ignore-scripts=false/);
    expect(setup.match(/--directory=\S+/g)).toEqual(['--directory=node_modules/pcsclite']);
    expect(setup).toContain('node node_modules/node-gyp/bin/node-gyp.js rebuild');
    for (const file of ['package-lock.json', 'scripts/node24/package-lock.json'])
      expect(readFileSync(file, 'utf8')).not.toContain('"resolved"');
  });
});
