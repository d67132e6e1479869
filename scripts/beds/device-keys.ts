import { readLinkKeys, readTerminalKeys, type TerminalKeys, type TlsFiles } from '../../src/trust/key-files.ts';

/** A whole device in one process: no such process runs at a counter. */
export type DeviceKeys = TerminalKeys & { readonly tls: TlsFiles };

export const readDeviceKeys = async (deviceDirectory: string): Promise<DeviceKeys> => ({
  ...(await readTerminalKeys(deviceDirectory)),
  tls: await readLinkKeys(deviceDirectory),
});
