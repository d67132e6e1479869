// Under Wine: another program of the clinic's PC (a レセコン, a virus scanner) that holds a file open as Windows lets it.
//   node.exe another-program.cjs FILE RELEASE read|nobody
// Until the file RELEASE lies there. `read`: others may read it meanwhile, and nobody may rename or delete it; `nobody`:
// nobody may even open it. Node itself always shares everything: CreateFileW is called by koffi.
const { existsSync } = require('node:fs');
const koffi = require('koffi');

const [file, release, share] = process.argv.slice(2);
const kernel = koffi.load('kernel32.dll');
const createFile = kernel.func(
  'intptr_t __stdcall CreateFileW(str16, uint32_t, uint32_t, void *, uint32_t, uint32_t, void *)',
);
const genericRead = 0x80000000;
const openExisting = 3;
const handle = createFile(file, genericRead, share === 'read' ? 1 : 0, null, openExisting, 0x80, null);
if (Number(handle) === -1) {
  console.log('not opened');
  process.exit(3);
}
console.log('held');
setInterval(() => {
  if (existsSync(release)) process.exit(0);
}, 100);
