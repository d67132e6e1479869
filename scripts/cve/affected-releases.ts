/** Which releases hold a version that an advisory (OSV 1.6) calls affected, told from their bills of materials alone. */

type RangeEvent = {
  readonly introduced?: string;
  readonly fixed?: string;
  readonly last_affected?: string;
};
export type Advisory = {
  readonly id: string;
  readonly aliases?: readonly string[];
  readonly affected: readonly {
    readonly package: { readonly ecosystem: string; readonly name: string };
    readonly ranges?: readonly { readonly type: string; readonly events: readonly RangeEvent[] }[];
    readonly versions?: readonly string[];
  }[];
};

/** As `billOfMaterials` makes it; `name`: what the release is called */
export type ReleaseBill = {
  readonly name: string;
  readonly components: readonly { readonly name: string; readonly version: string }[];
};

type Affected = { readonly release: string; readonly component: string; readonly version: string };

/** Below 0: a is earlier. A version with a suffix (1.0.0-rc.1) comes before the one without. */
export const compareVersions = (a: string, b: string): number => {
  const [left, right] = [a, b].map((version) => {
    const [numbers = '', suffix] = version.split('+')[0]?.split(/-(.*)/) ?? [];
    return { numbers: numbers.split('.').map(Number), suffix };
  }) as [{ numbers: number[]; suffix?: string }, { numbers: number[]; suffix?: string }];
  for (let part = 0; part < 3; part += 1) {
    const difference = (left.numbers[part] ?? 0) - (right.numbers[part] ?? 0);
    if (difference !== 0) return difference;
  }
  if (left.suffix === right.suffix) return 0;
  if (left.suffix === undefined) return 1;
  if (right.suffix === undefined) return -1;
  return left.suffix.localeCompare(right.suffix, 'en', { numeric: true });
};

const isWithin = (version: string, events: readonly RangeEvent[]): boolean => {
  let within = false;
  for (const { introduced, fixed, last_affected: last } of events) {
    if (introduced !== undefined && (introduced === '0' || compareVersions(version, introduced) >= 0)) within = true;
    if (fixed !== undefined && compareVersions(version, fixed) >= 0) within = false;
    if (last !== undefined && compareVersions(version, last) > 0) within = false;
  }
  return within;
};

/** One entry for each release and component; empty: none is affected. */
export const affectedReleases = (advisory: Advisory, releases: readonly ReleaseBill[]): readonly Affected[] =>
  releases.flatMap(({ name: release, components }) =>
    components.flatMap(({ name: component, version }) => {
      const isAffected = advisory.affected.some(
        ({ package: { ecosystem, name }, ranges = [], versions = [] }) =>
          ecosystem === 'npm' &&
          name === component &&
          (versions.includes(version) ||
            ranges.some(({ type, events }) => type !== 'GIT' && isWithin(version, events))),
      );
      return isAffected ? [{ release, component, version }] : [];
    }),
  );
