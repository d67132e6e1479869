// Under Wine, with the modules of the installed folder: node.exe move-a-folder.mjs backup|restore FILE FACILITY OQS
const from = 'file:///C:/Program%20Files/Uketsuke/src/cli/';
const { writeFolderBackup, restoreFolder } = await import(`${from}move-windows.ts`);
const { windowsClinic } = await import(`${from}clinic-windows.ts`);

const [what, file, facility, oqs] = process.argv.slice(2);
const places = { facility, agent: `${facility}\\agents\\agent-01`, broker: `${facility}\\broker`, oqs };
const passphrase = 'correct horse battery';
if (what === 'backup') await writeFolderBackup(file, passphrase, places);
else await restoreFolder(file, passphrase, places, windowsClinic(places), ['ca-passphrase']);
