import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Architecture } from './roles.ts';

export const project = fileURLToPath(new URL('../../', import.meta.url));
const nodeArchitecture = { amd64: 'x64', arm64: 'arm64' } as const;

const run = (cwd: string, program: string, ...args: string[]): string =>
  execFileSync(program, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 600_000,
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  });

/** Node 24 of that architecture, as npm has it, in the version that scripts/node24 names; its folder. */
const fetchNode = (folder: string, architecture: Architecture): string => {
  const name = `node-linux-${nodeArchitecture[architecture]}`;
  const there = join(project, 'scripts/node24/node_modules', name);
  if (existsSync(there)) return there;
  const { optionalDependencies } = JSON.parse(readFileSync(join(project, 'scripts/node24/package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  const { packages } = JSON.parse(readFileSync(join(project, 'scripts/node24/package-lock.json'), 'utf8')) as {
    packages: Record<string, { integrity: string }>;
  };
  const [packed] = JSON.parse(run(folder, 'npm', 'pack', '--json', `${name}@${optionalDependencies[name]}`)) as {
    filename: string;
    integrity: string;
  }[];
  if (packed === undefined || packed.integrity !== packages[`node_modules/${name}`]?.integrity)
    throw new Error(`${name}: what npm has is not what scripts/node24/package-lock.json names`);
  run(folder, 'tar', '-xzf', packed.filename);
  return join(folder, 'package');
};

/** Debian's libpcsclite of another architecture, unpacked: to link the reader's driver with. */
const foreignRoot = (folder: string, architecture: Architecture): string => {
  const root = join(folder, 'foreign-root');
  const options = [
    '--quiet',
    '--mode=root',
    `--arch=${architecture}`,
    '--variant=extract',
    '--include=libpcsclite-dev',
  ];
  run(folder, 'mmdebstrap', ...options, 'bookworm', root);
  return root;
};

/** The reader's driver, compiled against the headers of the Node that will load it. */
const compileReader = (folder: string, nodeFolder: string, architecture: Architecture): void => {
  const target = join(folder, 'node_modules/pcsclite');
  const isForeign = nodeArchitecture[architecture] !== process.arch;
  const triplet = { amd64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[architecture];
  const root = isForeign ? foreignRoot(folder, architecture) : '';
  const prefix = isForeign ? `${triplet}-` : '';
  const plain = `-ffile-prefix-map=${folder}=.`;
  execFileSync(
    'node',
    [
      join(project, 'node_modules/node-gyp/bin/node-gyp.js'),
      'rebuild',
      `--directory=${target}`,
      `--nodedir=${nodeFolder}`,
      `--arch=${nodeArchitecture[architecture]}`,
      '--loglevel=error',
    ],
    {
      stdio: ['ignore', 2, 2],
      timeout: 300_000,
      env: {
        ...process.env,
        // What npm hands down rules over the command line, and names the headers of another Node.
        npm_config_nodedir: nodeFolder,
        CC: `${prefix}gcc`,
        CXX: `${prefix}g++`,
        AR: `${prefix}ar`,
        CFLAGS: plain,
        CXXFLAGS: plain,
        LDFLAGS: `-L${root}/usr/lib/${triplet} -Wl,--build-id=none`,
      },
    },
  );
  const built = readFileSync(join(target, 'build/Release/pcsclite.node'));
  // Made for another Node, an add-on is compiled without a word and is refused when it is loaded.
  if (!isForeign) run(folder, join(nodeFolder, 'bin/node'), '-e', "require('pcsclite')");
  for (const part of ['build', 'src', 'test', 'examples', 'binding.gyp'])
    rmSync(join(target, part), { recursive: true, force: true });
  mkdirSync(join(target, 'build/Release'), { recursive: true });
  writeFileSync(join(target, 'build/Release/pcsclite.node'), built);
};

/** node_modules of a device: production alone, of one architecture. */
const installModules = (folder: string, architecture: Architecture): void => {
  const cpu = nodeArchitecture[architecture];
  for (const file of ['package.json', 'package-lock.json', '.npmrc'])
    copyFileSync(join(project, file), join(folder, file));
  const registry = run(folder, 'npm', 'config', 'get', 'registry').trim();
  run(folder, 'node', join(project, 'scripts/packages/write-shrinkwrap.mjs'), registry, cpu);
  const platform = [`--cpu=${cpu}`, '--os=linux', '--libc=glibc'];
  const quiet = ['--no-save', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  run(folder, 'npm', 'install', '--omit=dev', ...platform, ...quiet);
  run(folder, 'node', join(project, 'scripts/packages/prune.mjs'), '.', cpu);
};

/** Builds for another C library than Debian's. */
const isForeign = (name: string): boolean => /musl/.test(name);

/** No program on a device reads these; types, maps and documents are a third of node_modules. */
const isIdle = (name: string): boolean =>
  /\.(d\.[cm]?ts|map|markdown|flow|c|cc|cpp|h|hpp|gyp|gypi|tsbuildinfo)$/.test(name) ||
  (/\.md$/i.test(name) && !/^licen[cs]e|^notice|^copying/i.test(name)) ||
  /^\.(package-lock\.json|eslintrc.*|npmignore|editorconfig|github|prettierrc.*|nycrc|travis\.yml|bin)$/.test(name);

const dropIdle = (folder: string): void => {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (isIdle(entry.name) || isForeign(entry.name)) rmSync(path, { recursive: true });
    else if (entry.isDirectory()) dropIdle(path);
  }
};

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

const isElf = (path: string): boolean => readFileSync(path).subarray(0, 4).toString('latin1') === '\x7fELF';

const stripPrograms = (folder: string, architecture: Architecture): void => {
  const strip =
    nodeArchitecture[architecture] === process.arch
      ? 'strip'
      : { amd64: 'x86_64-linux-gnu-strip', arm64: 'aarch64-linux-gnu-strip' }[architecture];
  const large = filesBelow(folder).filter((path) => /(\.node|\.so[.\d]*|\/bin\/node)$/.test(path) && isElf(path));
  for (const path of large) {
    chmodSync(path, 0o755);
    run(folder, strip, '--strip-unneeded', '--remove-section=.comment', '--remove-section=.note', path);
  }
};

/** What a device runs, below `target` (= /usr/lib/uketsuke). Everything is fetched and compiled in a folder of its own. */
export const makeProgramTree = (target: string, architecture: Architecture): void => {
  const folder = mkdtempSync(join(tmpdir(), 'uketsuke-package-'));
  try {
    const nodeFolder = fetchNode(folder, architecture);
    installModules(folder, architecture);
    compileReader(folder, nodeFolder, architecture);
    dropIdle(join(folder, 'node_modules'));
    // The page's fonts are cut out of them when it is built.
    rmSync(join(folder, 'node_modules/@fontsource-variable'), { recursive: true });
    mkdirSync(join(target, 'node/bin'), { recursive: true });
    copyFileSync(join(nodeFolder, 'bin/node'), join(target, 'node/bin/node'));
    copyFileSync(join(nodeFolder, 'LICENSE'), join(target, 'node/LICENSE'));
    cpSync(join(folder, 'node_modules'), join(target, 'node_modules'), { recursive: true, verbatimSymlinks: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  for (const part of ['src', 'drivers', 'dist/screens', 'systemd/mosquitto'])
    cpSync(join(project, part), join(target, part), { recursive: true });
  rmSync(join(target, 'drivers/virtual'), { recursive: true });
  // Built into dist.
  rmSync(join(target, 'src/screens'), { recursive: true });
  mkdirSync(join(target, 'models'));
  const { models } = JSON.parse(readFileSync(join(project, 'models/manifest.json'), 'utf8')) as {
    models: { file: string }[];
  };
  for (const name of ['manifest.json', 'README.md', ...models.map(({ file }) => file)])
    copyFileSync(join(project, 'models', name), join(target, 'models', name));
  for (const name of ['package.json', 'LICENSE']) copyFileSync(join(project, name), join(target, name));
  mkdirSync(join(target, 'docs'));
  for (const name of readdirSync(join(project, 'docs')).filter((name) => /\.(md|html)$/.test(name)))
    copyFileSync(join(project, 'docs', name), join(target, 'docs', name));
  // The guides show them.
  for (const name of ['pictures', 'screens'])
    cpSync(join(project, 'docs', name), join(target, 'docs', name), { recursive: true });
  stripPrograms(target, architecture);
};

/** Modes that Debian wants, and one time for everything: the same files give the same bytes. */
export const settle = (root: string, epoch: number): void => {
  for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(path, 0o755);
    else if (entry.isFile()) {
      const isProgram = /^(\/usr\/bin\/|\/usr\/lib\/uketsuke\/node\/bin\/|\/DEBIAN\/(post|pre))/.test(
        path.slice(root.length),
      );
      chmodSync(path, isProgram ? 0o755 : 0o644);
    }
  }
  for (const entry of readdirSync(root, { withFileTypes: true, recursive: true }))
    lutimesSync(join(entry.parentPath, entry.name), epoch, epoch);
  lutimesSync(root, epoch, epoch);
};

export const put = (root: string, path: string, content: string | Uint8Array): void => {
  const place = join(root, path);
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, content);
};

export const kilobytesOf = (root: string): number =>
  Math.ceil(filesBelow(root).reduce((sum, path) => sum + statSync(path).size, 0) / 1024);

export const listFiles = filesBelow;
