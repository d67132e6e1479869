import { compareVersions, isAtLeast } from './compare-versions.ts';
import type { Bundle, RefusalReason, UpdateRecord } from './update.ts';

type Known = { readonly version: string; readonly compatible: string; readonly record: UpdateRecord };

/**
 * Why this bundle may never be installed here; null: it may. Who signed it comes first, since nothing else that it says of
 * itself counts before that. The floor is the newest of what runs and what has ever proved itself here.
 */
export const refusalOf = (bundle: Bundle, { version, compatible, record }: Known): RefusalReason | null => {
  if (bundle.signature === 'broken') return 'tampered';
  if (bundle.signature !== 'trusted') return 'foreign';
  if (bundle.compatible !== compatible) return 'other-device';
  const aboveFloor = compareVersions(bundle.version, record.floor);
  const aboveRunning = compareVersions(bundle.version, version);
  if (aboveFloor === null || aboveRunning === null) return 'no-version';
  if (aboveFloor <= 0 || aboveRunning <= 0) return 'older';
  const failed = record.failed.find(({ id }) => id === bundle.id);
  if (failed === undefined) return null;
  return failed.reason === 'tampered' || failed.reason === 'foreign' ? failed.reason : 'failed-before';
};

const newestOf = (bundles: readonly Bundle[]): Bundle | null =>
  bundles.reduce<Bundle | null>(
    (newest, each) => (newest === null || isAtLeast(each.version, newest.version) ? each : newest),
    null,
  );

/** Of several: the newest that may be installed; if none may, one whose refusal is told. null: there is none */
export const chooseBundle = (bundles: readonly Bundle[], known: Known): Bundle | null =>
  newestOf(bundles.filter((bundle) => refusalOf(bundle, known) === null)) ?? newestOf(bundles);
