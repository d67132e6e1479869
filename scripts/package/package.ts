/**
 * npm run package -- [--json] [--out DIR] [--arch amd64,arm64] [--once]
 *
 * The Debian packages of this release (roles.ts says which), from the working tree and npm's registry, each built twice in
 * folders of their own and compared byte for byte; then lintian. Needs root (mmdebstrap), g++, binutils, lintian, and for
 * the other architecture its cross compiler. Face models and pages are taken as set-up made them. Exit status 1: two
 * builds differ, lintian has an error, or a package is above its size.
 *   --once   one build, for whoever only wants the packages; says so (`reproducible` and `lintianErrors` are absent)
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { billOfMaterials } from '../generate/sbom.ts';
import { debianCopyright, thirdPartyNotices } from './notices.ts';
import { type Architecture, roleScripts, roles, runtime, runtimeDepends, runtimeScripts } from './roles.ts';
import { startScript } from './start-script.ts';
import { kilobytesOf, listFiles, makeProgramTree, project, put, settle } from './tree.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    once: { type: 'boolean' },
    out: { type: 'string', default: 'packages' },
    arch: { type: 'string', default: 'amd64,arm64' },
  },
});
const largestMb = 130;
const architectures = values.arch.split(',') as Architecture[];
const { version, released } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
  version: string;
  released: string;
};
const epoch = Date.parse(`${released}T00:00:00Z`) / 1000;
const say = (text: string): boolean => process.stderr.write(`package: ${text}\n`);
/** A release is known by its tag: another version under it would never be found again. */
const checkTag = (): void => {
  const told = spawnSync('git', ['tag', '--points-at', 'HEAD'], { cwd: project, encoding: 'utf8' });
  const tags = (told.stdout ?? '').split('\n').filter((tag) => /^v\d/.test(tag));
  if (tags.length > 0 && !tags.includes(`v${version}`))
    throw new Error(`this commit is tagged ${tags.join(', ')}, and package.json says ${version}`);
};
checkTag();
const maintainer = 'Uketsuke maintainers <maintainers@uketsuke.invalid>';

type Control = {
  readonly name: string;
  readonly architecture: Architecture | 'all';
  readonly about: string;
  readonly explained: string;
  readonly depends: readonly string[];
  readonly recommends?: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
};

const changelog = (name: string): Buffer =>
  gzipSync(
    `${name} (${version}) stable; urgency=medium\n\n  * Release ${version}.\n\n -- ${maintainer}  ${new Date(epoch * 1000).toUTCString().replace('GMT', '+0000')}\n`,
    { level: 9 },
  );

/** Control files, then the archive; answers its path. */
const close = (root: string, out: string, control: Control): string => {
  const { name, architecture, about, explained, depends, recommends = [], scripts } = control;
  put(root, `usr/share/doc/${name}/changelog.gz`, changelog(name));
  // The project has no address of its own yet, and its programs lie together in one folder, Node and all.
  put(
    root,
    `usr/share/lintian/overrides/${name}`,
    [
      `${name}: bogus-mail-host Maintainer *`,
      ...(name === runtime.name ? [`${name}: embedded-library *`] : []),
      '',
    ].join('\n'),
  );
  const sums = listFiles(root)
    .filter((path) => !path.startsWith(join(root, 'etc/')))
    .map((path) => `${createHash('md5').update(readFileSync(path)).digest('hex')}  ${relative(root, path)}`);
  put(
    root,
    'DEBIAN/control',
    [
      `Package: ${name}`,
      `Version: ${version}`,
      `Architecture: ${architecture}`,
      `Maintainer: ${maintainer}`,
      `Installed-Size: ${kilobytesOf(root)}`,
      `Depends: ${depends.join(', ')}`,
      ...(recommends.length > 0 ? [`Recommends: ${recommends.join(', ')}`] : []),
      'Section: misc',
      'Priority: optional',
      `Description: ${about}`,
      ` ${explained}`,
      '',
    ].join('\n'),
  );
  const settings = listFiles(root)
    .map((path) => `/${relative(root, path)}`)
    .filter((path) => path.startsWith('/etc/'));
  if (settings.length > 0) put(root, 'DEBIAN/conffiles', `${settings.join('\n')}\n`);
  put(root, 'DEBIAN/md5sums', `${sums.join('\n')}\n`);
  for (const [script, text] of Object.entries(scripts)) put(root, `DEBIAN/${script}`, text);
  settle(root, epoch);
  const file = join(out, `${name}_${version}_${architecture}.deb`);
  // xz: lintian takes no other. Its lowest level is within the size, in a fraction of the time.
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '-z1', '--threads-max=1', '--build', root, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
    stdio: ['ignore', 'ignore', 2],
  });
  return file;
};

const withRoot = (make: (root: string) => string): string => {
  const root = mkdtempSync(join(tmpdir(), 'uketsuke-deb-'));
  try {
    return make(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
};

const buildRuntime = (out: string, architecture: Architecture): string =>
  withRoot((root) => {
    const tree = join(root, 'usr/lib/uketsuke');
    mkdirSync(tree, { recursive: true });
    makeProgramTree(tree, architecture);
    const documents = `usr/share/doc/${runtime.name}`;
    const notices = `/${documents}/third-party-notices.txt.gz`;
    put(root, notices, gzipSync(thirdPartyNotices(tree), { level: 9 }));
    put(root, `${documents}/copyright`, `${debianCopyright(tree, notices)}\n`);
    const lockfile = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8'));
    put(root, `${documents}/uketsuke.cdx.json.gz`, gzipSync(JSON.stringify(billOfMaterials(lockfile)), { level: 9 }));
    put(root, 'usr/lib/sysusers.d/uketsuke.conf', readFileSync(join(project, 'systemd/sysusers/uketsuke.conf')));
    put(root, 'usr/lib/tmpfiles.d/uketsuke.conf', readFileSync(join(project, 'systemd/tmpfiles/uketsuke.conf')));
    const start = '/usr/lib/uketsuke/node/bin/node --disable-warning=ExperimentalWarning /usr/lib/uketsuke/src/main.ts';
    put(root, 'usr/bin/uketsuke', startScript(start));
    execFileSync(process.execPath, [join(project, 'src/main.ts'), 'attest', '--seal', '--tree', tree], {
      stdio: ['ignore', 'ignore', 2],
    });
    return close(root, out, {
      ...runtime,
      architecture,
      depends: runtimeDepends,
      scripts: runtimeScripts,
    });
  });

const buildRole = (out: string, role: (typeof roles)[number]): string =>
  withRoot((root) => {
    for (const [from, place] of Object.entries(role.files)) put(root, place, readFileSync(join(project, from)));
    mkdirSync(join(root, 'usr/share/doc'), { recursive: true });
    put(root, `usr/share/doc/${role.name}/copyright`, readFileSync(join(project, 'LICENSE')));
    return close(root, out, {
      ...role,
      architecture: 'all',
      depends: [`${runtime.name} (= ${version})`, ...role.depends],
      scripts: roleScripts(role),
    });
  });

const build = (out: string): string[] => {
  mkdirSync(out, { recursive: true });
  return [
    ...architectures.map((architecture) => buildRuntime(out, architecture)),
    ...roles.map((role) => buildRole(out, role)),
  ];
};

const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

const lintianErrors = (files: readonly string[]): number => {
  const judged = spawnSync('lintian', ['--allow-root', '--fail-on', 'none', '--tag-display-limit', '0', ...files], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (judged.error !== undefined) throw new Error(`lintian does not start: ${judged.error.message}`);
  const lines = judged.stdout.split('\n').filter((line) => line.startsWith('E:'));
  for (const line of lines) say(line);
  return lines.length;
};

const out = resolve(values.out);
say('building …');
const files = build(out);
let reproducible: boolean | undefined;
if (!values.once) {
  say('building once more, from scratch …');
  const second = mkdtempSync(join(tmpdir(), 'uketsuke-second-'));
  try {
    const again = build(second);
    const differ = files.filter((file, index) => hashOf(file) !== hashOf(again[index] ?? ''));
    for (const file of differ) say(`DIFFERS: ${file}`);
    reproducible = differ.length === 0;
  } finally {
    rmSync(second, { recursive: true, force: true });
  }
}
const errors = values.once ? undefined : lintianErrors(files);
const debs = files.map((file) => ({
  name: file.split('/').at(-1)?.split('_')[0],
  arch: /_([a-z0-9]+)\.deb$/.exec(file)?.[1],
  bytes: readFileSync(file).length,
  sha256: hashOf(file),
}));
const tooLarge = debs.filter(({ bytes }) => bytes > largestMb * 1e6);
for (const { name, arch, bytes } of debs) say(`${name} ${arch}: ${(bytes / 1e6).toFixed(1)} MB`);
process.stdout.write(
  `${JSON.stringify({ profile: 'release', debs, ...(reproducible !== undefined && { reproducible }), ...(errors !== undefined && { lintianErrors: errors }) })}\n`,
);
process.exitCode = reproducible === false || (errors ?? 0) > 0 || tooLarge.length > 0 ? 1 : 0;
