/**
 * The software bill of materials (CycloneDX 1.5, JSON) of what runs at the counter and at the clinic's end, made from
 * the lockfile alone: the same lockfile gives the same bytes. `npm run sbom > uketsuke.cdx.json`.
 * Not `npm sbom --omit dev`: npm 11 leaves out a package that a development package uses as well (yaml).
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

type Locked = {
  readonly version: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};
type Lockfile = { readonly packages: Readonly<Record<string, Locked>> };

const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const billOfMaterials = ({ packages }: Lockfile) => {
  const shipped = new Map(Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true));
  const root = packages[''];
  if (root === undefined) throw new Error('package-lock.json has no root');
  const purlOf = (name: string, version: string): string => `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const refOf = (path: string): string => purlOf(nameOf(path), shipped.get(path)?.version ?? '');

  /** As Node looks for it: beside the asking package, then outwards. */
  const find = (from: string, name: string): string | undefined => {
    const owners = `/${from}`.split('/node_modules/').slice(1);
    for (let depth = owners.length; depth >= 0; depth -= 1) {
      const path = [...owners.slice(0, depth), name].map((each) => `node_modules/${each}`).join('/');
      if (shipped.has(path)) return path;
    }
    return undefined;
  };
  const dependsOn = (path: string, { dependencies, optionalDependencies }: Locked): string[] =>
    [...new Set(Object.keys({ ...dependencies, ...optionalDependencies }))]
      .flatMap((name) => find(path, name) ?? [])
      .map(refOf)
      .sort(byText);

  const component = purlOf('uketsuke', root.version);
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': component,
        name: 'uketsuke',
        version: root.version,
        purl: component,
      },
    },
    components: [...shipped]
      .map(([path, { version, integrity = '', license, optional }]) => ({
        type: 'library',
        'bom-ref': purlOf(nameOf(path), version),
        name: nameOf(path),
        version,
        scope: optional === true ? 'optional' : 'required',
        purl: purlOf(nameOf(path), version),
        hashes: integrity.startsWith('sha512-')
          ? [{ alg: 'SHA-512', content: Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex') }]
          : [],
        licenses: license === undefined ? [] : [{ expression: license }],
      }))
      .filter(({ purl }, index, all) => all.findIndex((other) => other.purl === purl) === index)
      .sort((a, b) => byText(a['bom-ref'], b['bom-ref'])),
    dependencies: [
      { ref: component, dependsOn: dependsOn('', root) },
      ...[...shipped].map(([path, locked]) => ({ ref: refOf(path), dependsOn: dependsOn(path, locked) })),
    ]
      .filter(({ ref }, index, all) => all.findIndex((other) => other.ref === ref) === index)
      .sort((a, b) => byText(a.ref, b.ref)),
  };
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lockfile = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lockfile;
  process.stdout.write(`${JSON.stringify(billOfMaterials(lockfile), null, 2)}\n`);
}
