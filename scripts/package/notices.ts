import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

type Part = {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly texts: readonly string[];
};

const licenceName = /^(licen[cs]e|copying|notice)/i;

const partsBelow = (modules: string): Part[] =>
  readdirSync(modules, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .flatMap(({ name }) =>
      name.startsWith('@') ? readdirSync(join(modules, name)).map((one) => `${name}/${one}`) : name,
    )
    .flatMap((name): Part[] => {
      const folder = join(modules, name);
      if (!existsSync(join(folder, 'package.json'))) return [];
      const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        version: string;
        license?: string | { type: string };
      };
      const texts = readdirSync(folder)
        .filter((file) => licenceName.test(file))
        .sort()
        .map((file) => readFileSync(join(folder, file), 'utf8').trim());
      const licence = typeof license === 'string' ? license : (license?.type ?? 'see its text');
      const inner = join(folder, 'node_modules');
      return [{ name, version, licence, texts }, ...(existsSync(inner) ? partsBelow(inner) : [])];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));

const models = (
  tree: string,
): readonly { readonly file: string; readonly source: string; readonly licence: string }[] =>
  JSON.parse(readFileSync(join(tree, 'models/manifest.json'), 'utf8')).models;

/** Every licence text of what the package carries, one after the other. */
export const thirdPartyNotices = (tree: string): string =>
  [
    `Node.js\n\n${readFileSync(join(tree, 'node/LICENSE'), 'utf8').trim()}`,
    ...models(tree).map(({ file, source, licence }) => `models/${file}: ${licence}; made from ${source}`),
    ...partsBelow(join(tree, 'node_modules')).map(({ name, version, licence, texts }) =>
      `${name} ${version}: ${licence}\n\n${texts.join('\n\n')}`.trim(),
    ),
  ].join(`\n\n${'-'.repeat(100)}\n\n`);

const indented = (text: string): string =>
  text
    .trim()
    .split('\n')
    .map((line) => (line.trim() === '' ? ' .' : ` ${line}`))
    .join('\n');

/** debian/copyright: machine-readable, one paragraph a licence; the texts stand in the notices. */
export const debianCopyright = (tree: string, notices: string): string => {
  const byLicence = Map.groupBy(partsBelow(join(tree, 'node_modules')), ({ licence }) => licence);
  const words = (licence: string): string => licence.replaceAll(/[()]/g, '').replaceAll(/\s+/g, ' ');
  const own = readFileSync(join(tree, 'LICENSE'), 'utf8');
  return [
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: uketsuke\nSource: the project itself; third parties from the npm registry as package-lock.json names them',
    `Files: *\nCopyright: ${/Copyright.*/.exec(own)?.[0]?.replace(/^Copyright (\(c\) )?/i, '') ?? 'the authors of Uketsuke'}\nLicense: MIT`,
    ...[...byLicence]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(
        ([licence, parts]) =>
          `Files: ${[...new Set(parts.map(({ name }) => `usr/lib/uketsuke/node_modules/${name}/*`))].join('\n ')}\nCopyright: the authors named in ${notices}\nLicense: ${words(licence)}`,
      ),
    `Files: usr/lib/uketsuke/node/*\nCopyright: Node.js contributors, and those named in ${notices}\nLicense: Node.js\n The text stands in ${notices}`,
    ...models(tree).map(
      ({ file, licence }) =>
        `Files: usr/lib/uketsuke/models/${file}\nCopyright: as models/README.md says\nLicense: model-${file.replace('.onnx', '')}\n ${licence}; see usr/lib/uketsuke/models/README.md`,
    ),
    `License: MIT\n${indented(own)}`,
    ...[...new Set([...byLicence.keys()].map(words))]
      .filter((licence) => licence !== 'MIT')
      .map((licence) => `License: ${licence}\n The text stands in ${notices}`),
  ].join('\n\n');
};
