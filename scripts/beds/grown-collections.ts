/** Of each Map, Set and array that the product fills: how large it is, and from where. */
type Collection = { readonly size: number } | { readonly length: number };
type Watched = { readonly of: WeakRef<Collection & object>; readonly place: string; notedSize: number };

const root = new URL('../../', import.meta.url).pathname;
const sizeOf = (of: Collection): number => ('size' in of ? of.size : of.length);

/** The product's own file that called, `src/…:line`; null: somebody else's */
const callerOf = (stack: string): string | null => {
  for (const line of stack.split('\n').slice(1)) {
    const at = line.indexOf(root);
    if (at < 0 || line.includes('grown-collections.ts')) continue;
    const place = line.slice(at + root.length).replace(/:\d+\)?$/, '');
    return /^(src|drivers\/(?!virtual\/))/.test(place) ? place : null;
  }
  return null;
};

/** Watches each that becomes larger than `least`, from now on. */
export const watchCollections = (least: number) => {
  const watched: Watched[] = [];
  const known = new WeakSet<object>();
  const grown = (of: Collection & object): void => {
    if (sizeOf(of) <= least || known.has(of)) return;
    known.add(of);
    const place = callerOf(new Error('for its stack').stack ?? '');
    if (place !== null) watched.push({ of: new WeakRef(of), place, notedSize: sizeOf(of) });
  };
  const { set } = Map.prototype;
  const { add } = Set.prototype;
  const { push } = Array.prototype;
  Map.prototype.set = function (this: Map<unknown, unknown>, key, value) {
    const result = set.call(this, key, value);
    grown(this);
    return result as never;
  };
  Set.prototype.add = function (this: Set<unknown>, value) {
    const result = add.call(this, value);
    grown(this);
    return result as never;
  };
  Array.prototype.push = function (this: unknown[], ...values) {
    const length = push.apply(this, values);
    grown(this);
    return length;
  };
  const alive = () =>
    watched.flatMap((one) => {
      const of = one.of.deref();
      return of === undefined ? [] : [{ one, size: sizeOf(of) }];
    });
  return {
    /** Map, Set and Array are Node's own again. */
    end: (): void => {
      Object.assign(Map.prototype, { set });
      Object.assign(Set.prototype, { add });
      Object.assign(Array.prototype, { push });
    },
    /** How large each is now: what comes is compared with it */
    note: (): void => {
      for (const { one, size } of alive()) one.notedSize = size;
    },
    /** Where those are filled that are alive and larger than `least` now */
    grown: (): readonly string[] => alive().flatMap(({ one, size }) => (size > least ? [one.place] : [])),
    /** Those that have grown by more than so much since then */
    growing: (by: number) =>
      alive()
        .filter(({ one, size }) => size - one.notedSize > by)
        .map(({ one, size }) => ({ place: one.place, from: one.notedSize, to: size })),
  };
};
