const partsOf = (version: string): { readonly numbers: readonly number[]; readonly before: string | null } | null => {
  const match = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]{1,64}))?(?:\+[0-9A-Za-z.-]{1,64})?$/.exec(version);
  if (match === null) return null;
  const [, major, minor, patch, before] = match;
  return { numbers: [Number(major), Number(minor), Number(patch)], before: before ?? null };
};

const compareBefore = (a: string | null, b: string | null): number => {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  const [as, bs] = [a.split('.'), b.split('.')];
  for (let index = 0; index < Math.max(as.length, bs.length); index += 1) {
    const [one, other] = [as[index], bs[index]];
    if (one === other) continue;
    if (one === undefined) return -1;
    if (other === undefined) return 1;
    const [isNumber, isOtherNumber] = [/^\d+$/.test(one), /^\d+$/.test(other)];
    if (isNumber && isOtherNumber && Number(one) !== Number(other)) return Number(one) - Number(other);
    if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
    return one < other ? -1 : 1;
  }
  return 0;
};

/**
 * Below 0: `a` is the older (semantic versioning; what follows a `+` does not count). null: one of them is no version.
 * Examples: 0.9.0 < 0.10.0; 1.0.0-rc.1 < 1.0.0; 1.0.0+wire.2 = 1.0.0.
 */
export const compareVersions = (a: string, b: string): number | null => {
  const [one, other] = [partsOf(a), partsOf(b)];
  if (one === null || other === null) return null;
  for (const [index, number] of one.numbers.entries()) {
    const difference = number - (other.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return compareBefore(one.before, other.before);
};

/** false too where one of them is no version. */
export const isAtLeast = (version: string, wanted: string): boolean => (compareVersions(version, wanted) ?? -1) >= 0;
