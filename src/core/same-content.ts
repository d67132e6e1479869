/**
 * Whether two pieces of data say the same: what `JSON.stringify` writes alike, without writing it. A property that is
 * undefined is none. For data alone: no class, no cycle.
 */
export const sameContent = (one: unknown, other: unknown): boolean => {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one))
    return (
      Array.isArray(other) && one.length === other.length && one.every((each, index) => sameContent(each, other[index]))
    );
  if (Array.isArray(other)) return false;
  for (const key in one) if (!sameContent(one[key as never], other[key as never])) return false;
  for (const key in other) if (other[key as never] !== undefined && !(key in one)) return false;
  return true;
};
