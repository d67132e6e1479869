import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a Raspberry Pi's boot loader says of itself to the kernel. */
const deviceTree = '/proc/device-tree/chosen/bootloader';

/** When the boot loader (EEPROM) was made, ms since 1970 UTC; null: no board of that kind, or one that does not tell. */
export const bootLoaderBuiltMs = (tree = deviceTree): number | null => {
  try {
    // A cell of a device tree: 32 bits, the highest byte first.
    const seconds = readFileSync(join(tree, 'build-timestamp')).readUInt32BE(0);
    return seconds === 0 ? null : seconds * 1_000;
  } catch {
    return null;
  }
};
