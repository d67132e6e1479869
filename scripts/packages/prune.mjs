// Removes from node_modules what nothing here ever loads: builds for other systems, and variants that are not used. Prints
// the megabytes that went. What is left works as before; `npm install` of another version lays everything down again.
//   node scripts/packages/prune.mjs [FOLDER [ARCHITECTURE]]
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const children = (folder) => (existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []);
const { platform } = process;
const arch = process.argv[3] ?? process.arch;

/** What goes, by package, under `root`/node_modules. */
const unusedParts = (root) => {
  const of = (path) => join(root, 'node_modules', path);
  return [
    // 290 MB for five systems, of which one is this.
    ...children(of('onnxruntime-node/bin'))
      .flatMap(children)
      .flatMap(children)
      .filter((folder) => !folder.endsWith(join(platform, arch))),
    ...['node-hid/prebuilds', '@serialport/bindings-cpp/prebuilds']
      .flatMap((folder) => children(of(folder)))
      .filter((folder) => !folder.includes(`${platform}-${arch}`)),
    // Under Node tesseract.js loads the whole engine whatever is asked of it (7.0.0's getCore compares a flag with modes), and
    // the .wasm beside the .js, not the one in it.
    ...children(of('tesseract.js-core')).filter(
      (file) => file.includes('tesseract-core') && (file.endsWith('.wasm.js') || file.includes('-lstm')),
    ),
    // 60 MB of OpenSSL's headers for systems that are not ours; our add-ons do not even ask for them.
    ...children(join(root, 'scripts/node24/node_modules'))
      .flatMap((node) => children(join(node, 'include/node/openssl/archs')))
      .filter((folder) => !/linux-(x86_64|aarch64)$/.test(folder)),
    // drivers/card-front-reader/card-front-ocr.ts names the models that are read.
    of('@tesseract.js-data/jpn/4.0.0'),
  ].filter((path) => existsSync(path));
};

const bytesOf = (path) => {
  const stats = statSync(path);
  return stats.isDirectory() ? children(path).reduce((sum, child) => sum + bytesOf(child), 0) : stats.size;
};

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const parts = unusedParts(process.argv[2] ?? '.');
  const bytes = parts.reduce((sum, path) => sum + bytesOf(path), 0);
  for (const path of parts) rmSync(path, { recursive: true });
  process.stdout.write(`${Math.round(bytes / 1e6)}\n`);
}
