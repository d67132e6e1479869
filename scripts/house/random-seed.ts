/**
 * Loaded before every test file: the random properties of a run start from UKETSUKE_SEED where it is set, so that
 * whoever has seen one fail can see it again. Without it each run has a seed of its own; fast-check prints the one that
 * failed.
 */
const seed = process.env.UKETSUKE_SEED;
if (seed !== undefined) {
  if (!/^-?\d{1,10}$/.test(seed)) throw new Error(`UKETSUKE_SEED: ${seed} is not a whole number`);
  const { default: fc } = await import('fast-check');
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) });
}

export {};
