// Exit code 0 when every package of package-lock.json that belongs on this machine lies in node_modules, in its version and
// with all the files it had when set-up ended. What lost files is removed and named, so that npm lays it down again.
//   node scripts/packages/are-installed.mjs               asks
//   node scripts/packages/are-installed.mjs --remember    notes the files that are there now (set-up has just ended well)
// Plain JavaScript: it also runs under the old Node that a machine starts with.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const noted = '.cache/setup/installed-files.json';
const read = (path) => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
};

/** Size by name below a package's folder, without the packages inside it and without what set-up itself compiles. */
const filesOf = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return [[path, sizeOf(path)]];
    return entry.name === 'node_modules' || path === join('node_modules', 'pcsclite', 'build') ? [] : filesOf(path);
  });
const sizeOf = (path) => statSync(path, { throwIfNoEntry: false })?.size;

const wanted = read('package-lock.json')?.packages;
const installed = read('node_modules/.package-lock.json')?.packages;
if (wanted === undefined || installed === undefined) process.exit(1);

if (process.argv[2] === '--remember') {
  const there = Object.keys(wanted).filter((path) => path !== '' && existsSync(`${path}/package.json`));
  mkdirSync(dirname(noted), { recursive: true });
  writeFileSync(noted, JSON.stringify(Object.fromEntries(there.map((path) => [path, filesOf(path)]))));
  process.exit(0);
}

const missing = Object.entries(wanted).filter(
  // Optional packages are those of other machines (another architecture); npm leaves them out by itself.
  ([path, entry]) =>
    path !== '' &&
    entry.optional !== true &&
    // npm's own list is not asked alone: a folder that somebody deleted still stands in it.
    (installed[path]?.version !== entry.version || !existsSync(`${path}/package.json`)),
);
const damaged = Object.entries(read(noted) ?? {}).filter(
  ([path, files]) =>
    // Another version is on its way anyway. What came beside the files (Python leaves what it compiled) is no damage.
    wanted[path] !== undefined &&
    wanted[path].version === installed[path]?.version &&
    files.some(([file, size]) => sizeOf(file) !== size),
);
for (const [path] of damaged) {
  process.stderr.write(`setup: ${path} is not as it was installed: once more …\n`);
  rmSync(path, { recursive: true, force: true });
}
process.exit(missing.length + damaged.length === 0 ? 0 : 1);
