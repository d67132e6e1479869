import type { Slot } from '../core/update/update.ts';

/**
 * autoboot.txt of a Raspberry Pi's boot loader: which partition it starts from, and which one when it was restarted with
 * `reboot "0 tryboot"`, a wish that is forgotten with that one start. Both in one file of one sector (512 bytes; the loader
 * reads no more), always of one length: it is overwritten in its place, in one write.
 */
export type Autoboot = { readonly standard: number; readonly trial: number };

/** The boot partition of each slot, as systemd/device/boot-choice knows them. */
export const partitionOf = { a: 2, b: 3 } as const satisfies Record<Slot, number>;
/** null: a partition of no slot, or the boot loader knows none */
export const slotOf = (partition: number | undefined): Slot | null =>
  partition === partitionOf.a ? 'a' : partition === partitionOf.b ? 'b' : null;

/** Below a sector, so that nobody's rule about the last byte matters. */
export const autobootBytes = 256;

export const encodeAutoboot = ({ standard, trial }: Autoboot): string =>
  `[all]\ntryboot_a_b=1\nboot_partition=${standard}\n[tryboot]\nboot_partition=${trial}\n`.padEnd(autobootBytes, '\n');

/** null: the boot loader would not know where to start from. Keys that it knows and we do not are passed over. */
export const parseAutoboot = (text: string): Autoboot | null => {
  let section = 'all';
  const found = new Map<string, number>();
  for (const line of text.slice(0, 512).split('\n')) {
    const heading = /^\[(\w+)\]$/.exec(line.trim())?.[1];
    if (heading !== undefined) section = heading;
    const partition = /^boot_partition=(\d{1,2})$/.exec(line.trim());
    if (partition !== null) found.set(section, Number(partition[1]));
  }
  const standard = found.get('all');
  if (standard === undefined) return null;
  return { standard, trial: found.get('tryboot') ?? standard };
};
