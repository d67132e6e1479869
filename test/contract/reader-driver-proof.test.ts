import { describe, expect, test } from 'vitest';
import { provenReaderDriver } from '../../drivers/card-reader/reader-driver-proof.ts';

describe('the proof of the reader driver', () => {
  test('one that loads is proven', async () => {
    expect(await provenReaderDriver('require("node:fs")', 20_000)).toBeNull();
  });

  test.each([
    ['is not there', 'require("no-such-package")', 'it is not compiled for this Node'],
    ['crashes the process', 'process.kill(process.pid, "SIGSEGV")', 'it crashes when it is loaded (SIGSEGV)'],
  ])('one that %s is not, and nothing of us goes with it', async (_what, load, why) => {
    expect(await provenReaderDriver(load, 20_000)).toBe(why);
  });

  test('one that hangs is not, and is ended', async () => {
    expect(await provenReaderDriver('for (;;);', 500)).toBe('it hangs when it is loaded');
  });
});
