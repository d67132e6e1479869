/**
 * What a threshold of an embedding model is worth, from comparisons of pictures (ISO/IEC 19795-1): the first of two plays
 * the card's photo, the second the person at the counter. Pure. Rates are in percent.
 */
import type { ModelCalibration } from '../models/manifest.ts';
import { ScoreSet } from './accuracy.ts';
import { groupRates, type Picture, perVisitFrr, score } from './group-rates.ts';

/** False accepts of the worst group at the default threshold, in percent. */
const mostWorstFar = 0.02;
/** Without groups nobody knows the worst one: it was once 27 times the whole, so the whole is held to so much less. */
const mostFar = 0.001;
/**
 * The rate that chooses the threshold rests on a few accepted pairs: its 95 % bound must keep within twice that. Where no group
 * was given there is no such bound to go by: two hundredths more.
 */
const mostWorstBound = 0.04;
const margin = 0.02;
/** From here on the model turns away more visits than anybody would bear. */
const mostPerVisitFrr = 10;
const step = 0.01;
/** Three errors in so many would be 1e-4: with fewer that rate cannot be told. */
const leastImpostor = 30_000;
const leastGenuine = 300;
const fars = ['1e-2', '1e-3', '1e-4'] as const;

/** All pairs of the pictures: identity is the person's name. @throws Error when one kind of comparison is missing */
export const compareAll = (
  pictures: readonly Picture[],
): { readonly scores: ScoreSet; readonly genuine: number; readonly impostor: number } => {
  const genuine: number[] = [];
  const impostor: number[] = [];
  for (const [i, first] of pictures.entries())
    for (const second of pictures.slice(i + 1))
      (first.person === second.person ? genuine : impostor).push(score(first, second));
  return { scores: new ScoreSet(genuine, impostor), genuine: genuine.length, impostor: impostor.length };
};

const percent = (rate: number): number => Number((rate * 100).toFixed(4));
const rounded = (value: number): number => Number(value.toFixed(4));

/** EER, and the false rejects at three false accept rates with their thresholds. */
export const ratesOf = (scores: ScoreSet) => {
  const points = fars.map((far) => [far, scores.atFar(Number(far))] as const);
  return {
    eer: percent(scores.equalErrorRate()),
    frr: Object.fromEntries(points.map(([far, { frr }]) => [far, percent(frr)])) as Record<
      (typeof fars)[number],
      number
    >,
    thresholds: Object.fromEntries(points.map(([far, { threshold }]) => [far, rounded(threshold)])),
  };
};

export type Groups = { readonly pictures: readonly Picture[]; readonly groupOf: (name: string) => string | undefined };

/** The worst group at a threshold. @throws Error when no group has 10,000 comparisons */
export const worstGroup = ({ pictures, groupOf }: Groups, threshold: number) => {
  const worst = groupRates(pictures, groupOf, threshold).toSorted((a, b) => b.far - a.far)[0];
  if (worst === undefined) throw new Error('no group has 10,000 comparisons of different people');
  const { group, comparisons, far, bound } = worst;
  return { worst: group, worstFar: rounded(far), comparisons, bound: rounded(bound) };
};

/**
 * The lowest threshold (in hundredths) that keeps the worst group's false accepts at 0.02 % and their bound at 0.04 %, and the
 * range in which the model was measured to be of use.
 * @throws Error when there are too few pictures, no threshold is strict enough, or the strictest that is turns away every tenth visit
 */
export const calibrate = (
  pictures: readonly Picture[],
  groups: Groups | null,
): Omit<ModelCalibration, 'date' | 'reference' | 'msPerFace' | 'measuredOn'> => {
  const { scores, genuine, impostor } = compareAll(pictures);
  if (impostor < leastImpostor || genuine < leastGenuine)
    throw new Error(
      `${genuine} genuine and ${impostor} impostor comparisons; ${leastGenuine} and ${leastImpostor} are needed to tell a rate of 1e-4`,
    );
  const isStrict = (threshold: number): boolean =>
    groups === null
      ? percent(scores.at(threshold).far) <= mostFar
      : worstGroup(groups, threshold).worstFar <= mostWorstFar;
  const steps = Array.from({ length: 100 }, (_, i) => rounded(i * step));
  const least = steps.find(isStrict);
  if (least === undefined) throw new Error('no threshold keeps false accepts low enough: this model cannot be used');
  const bearable = steps.filter((each) => each >= least && perVisitFrr(pictures, each).frr <= mostPerVisitFrr);
  const most = bearable.at(-1);
  const defaultThreshold =
    groups === null
      ? rounded(least + margin)
      : steps.find((each) => each >= least && worstGroup(groups, each).bound <= mostWorstBound);
  if (defaultThreshold === undefined) throw new Error('too few people in the worst group to tell a rate of 0.02 %');
  if (most === undefined || most < defaultThreshold)
    throw new Error(
      `at ${defaultThreshold} more than ${mostPerVisitFrr} % of visits are turned away: this model cannot be used`,
    );
  const { eer, frr } = ratesOf(scores);
  const { visits, frr: visitFrr } = perVisitFrr(pictures, defaultThreshold);
  return {
    defaultThreshold,
    range: { least, most },
    pictures: pictures.length,
    people: new Set(pictures.map(({ person }) => person)).size,
    failuresToAcquire: pictures.filter(({ probe, reference }) => probe === null || reference === null).length,
    genuine,
    impostor,
    eer,
    frr: { '1e-3': frr['1e-3'], '1e-4': frr['1e-4'] },
    perVisitFrr: rounded(visitFrr),
    visits,
    ...(groups === null ? {} : { groups: worstGroup(groups, defaultThreshold) }),
  };
};
