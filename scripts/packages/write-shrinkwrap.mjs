// Writes npm-shrinkwrap.json: package-lock.json with the address of each tarball at the registry of this machine.
//   node scripts/packages/write-shrinkwrap.mjs REGISTRY [ARCHITECTURE]
// The lockfile names no registry, so npm would ask for the description of each package to learn where its one version
// lies: 66 MB for 250 packages. The addresses have one form everywhere; the integrity hashes of the lockfile hold.
// Optional packages of other machines are marked as such: npm 9 does not know a C library, and fetches 60 MB for musl.
import { readFileSync, writeFileSync } from 'node:fs';

const registry = new URL(process.argv[2]).href.replace(/\/$/, '');
const lockfile = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const { platform, report } = process;
const arch = process.argv[3] ?? process.arch;
const libc = platform !== 'linux' ? undefined : report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
const isForThis = ({ os, cpu, libc: library }) =>
  (os?.includes(platform) ?? true) && (cpu?.includes(arch) ?? true) && (library?.includes(libc) ?? true);

for (const [path, entry] of Object.entries(lockfile.packages)) {
  if (path === '' || entry.link === true || entry.resolved !== undefined) continue;
  const name = entry.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  if (entry.optional && !isForThis(entry)) entry.os = ['none'];
  entry.resolved = `${registry}/${name}/-/${name.split('/').at(-1)}-${entry.version}.tgz`;
}
writeFileSync('npm-shrinkwrap.json', JSON.stringify(lockfile));
