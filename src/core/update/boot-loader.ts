/**
 * A Raspberry Pi's boot loader (EEPROM) knows autoboot.txt with two partitions and `tryboot` since releases of late 2022. An
 * older one would start the standard slot again and again where a trial was ordered. The stable one of 2023-01-11 surely has it.
 */
const oldestMs = Date.UTC(2023, 0, 11);

/** `builtMs`: when the loader was made, ms since 1970 UTC; null: this board has none that tells */
export const isBootLoaderTooOld = (builtMs: number | null): boolean => builtMs !== null && builtMs < oldestMs;

/** 2023-01-11 */
export const dayOfBootLoader = (builtMs: number): string => new Date(builtMs).toISOString().slice(0, 10);
