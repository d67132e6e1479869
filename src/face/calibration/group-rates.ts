/** Rates that hold for people, not for pictures: by group, and by visit. Pure. */
import { comparisonScore, type Embedding, meanEmbedding } from '../models/embed-face.ts';
import { upper95 } from './confidence.ts';

export type Picture = {
  readonly name: string;
  readonly person: string;
  /** null = no face was found. */
  readonly probe: Embedding | null;
  readonly reference: Embedding | null;
};

/** One person under two spellings: `Wang_Nan` and `Nan_Wang`, `Choi_Sung-hong` and `Sung_Hong_Choi`. */
export const personOf = (file: string): string =>
  file
    .replace(/_\d{4}\.jpe?g$/i, '')
    .toLowerCase()
    .split(/[_-]/)
    .sort()
    .join(' ');

/** Below every score: what could not be acquired is never accepted. */
const notAcquired = -2;

/** The first picture plays the card, the second the person at the counter. */
export const score = (card: Picture, person: Picture): number =>
  card.reference === null || person.probe === null ? notAcquired : comparisonScore(card.reference, person.probe);

type GroupRate = {
  readonly group: string;
  readonly comparisons: number;
  readonly far: number;
  readonly bound: number;
};

/** Below so many comparisons a rate says nothing about a group. */
const leastComparisons = 10_000;

/**
 * False accepts between people of one group, each picture against each later one: rate and 95 % bound in percent. Groups
 * with fewer than 10,000 comparisons are left out.
 */
export const groupRates = (
  pictures: readonly Picture[],
  groupOf: (name: string) => string | undefined,
  threshold: number,
): GroupRate[] => {
  const groups = new Map<string, Picture[]>();
  for (const picture of pictures) {
    const group = groupOf(picture.name);
    if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), picture]);
  }
  return [...groups].flatMap(([group, members]) => {
    let comparisons = 0;
    let accepted = 0;
    for (const [i, card] of members.entries())
      for (const person of members.slice(i + 1)) {
        if (card.person === person.person) continue;
        comparisons++;
        if (score(card, person) >= threshold) accepted++;
      }
    if (comparisons < leastComparisons) return [];
    return [{ group, comparisons, far: (accepted / comparisons) * 100, bound: upper95(accepted, comparisons) }];
  });
};

/** Of one card, so that people with many pictures do not outweigh the others. */
const visitsPerCard = 10;

/**
 * A visit: the frames are made of two *other* pictures of the card's holder, compared together as an attempt does.
 * Optimistic, as press pictures of one person differ more than frames of one visit. People with three pictures or more.
 * Percent of visits below the threshold.
 */
export const perVisitFrr = (
  pictures: readonly Picture[],
  threshold: number,
): { readonly visits: number; readonly frr: number } => {
  const people = Map.groupBy(pictures, ({ person }) => person);
  let visits = 0;
  let refused = 0;
  for (const own of people.values()) {
    if (own.length < 3) continue;
    for (const card of own) {
      const others = own.filter((each) => each !== card);
      const pairs = others.flatMap((a, i) => others.slice(i + 1).map((b) => [a, b] as const)).slice(0, visitsPerCard);
      for (const [a, b] of pairs) {
        visits++;
        const probes = [a.probe, b.probe].filter((probe) => probe !== null);
        const isAccepted =
          card.reference !== null &&
          probes.length > 0 &&
          comparisonScore(card.reference, meanEmbedding(probes)) >= threshold;
        if (!isAccepted) refused++;
      }
    }
  }
  return { visits, frr: visits === 0 ? 0 : (refused / visits) * 100 };
};
