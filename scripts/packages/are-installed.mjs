// Exit code 0 when every package of package-lock.json that belongs on this machine lies in node_modules in its version.
// Plain JavaScript: it also runs under the old Node that a machine starts with.
import { existsSync, readFileSync } from 'node:fs';

const read = (path) => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
};
const wanted = read('package-lock.json');
const installed = read('node_modules/.package-lock.json');
if (wanted === undefined || installed === undefined) process.exit(1);
const missing = Object.entries(wanted).filter(
  // Optional packages are those of other machines (another architecture); npm leaves them out by itself.
  ([path, entry]) =>
    path !== '' &&
    entry.optional !== true &&
    // npm's own list is not asked alone: a folder that somebody deleted still stands in it.
    (installed[path]?.version !== entry.version || !existsSync(`${path}/package.json`)),
);
process.exit(missing.length === 0 ? 0 : 1);
