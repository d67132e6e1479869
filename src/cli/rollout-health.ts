import { z } from 'zod';
import type { FacilityHealth, Health } from '../core/rollout/judge-waves.ts';
import { toleratedMs } from '../core/trusted-time.ts';
import { parseJson } from '../storage/parse-file.ts';
import { readGiven } from '../storage/read-given.ts';
import { type RolloutKind, rolloutKinds } from '../wire/rollout-papers.ts';

/** What the chain's Prometheus is asked: presence, orders, releases that failed, critical alerts that ring. One question */
export const healthQuery =
  '{__name__=~"ALERTS|uketsuke_agent_broker_up|uketsuke_agent_rollout_.*|uketsuke_terminal_update_failed",facility!="",alertstate!="pending"}';

const answerSchema = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('vector'),
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});
type Sample = z.infer<typeof answerSchema>['data']['result'][number];

/** A chain of thousands is gathered from memory within seconds. ms */
const answerMs = 30_000;
/** Of 2,000 facilities with a dozen alerts each there are some megabytes. Bytes */
const longestAnswer = 100_000_000;

const notAnAnswer = 'this is no answer of Prometheus (/api/v1/query, a vector)';

const isKind = (text: string | undefined): text is RolloutKind => rolloutKinds.some((kind) => kind === text);

type Draft = { -readonly [key in keyof FacilityHealth]: FacilityHealth[key] };

const addTo = (told: Draft, { metric, value: [, text] }: Sample): void => {
  const { __name__: name, kind, why, version, alertname, severity, device, part } = metric;
  const value = Number(text);
  if (name === 'ALERTS' && severity === 'critical')
    told.alerts = [...told.alerts, [alertname, device, part].filter((word) => word !== undefined).join(' ')];
  if (name === 'uketsuke_terminal_update_failed' && value === 1) told.failed = [...told.failed, version ?? ''];
  if (!isKind(kind)) return;
  // Of several agents the furthest has taken it, and the last has carried it out.
  if (name === 'uketsuke_agent_rollout_taken' && value >= (told.taken[kind] ?? 0))
    told.taken = { ...told.taken, [kind]: value };
  if (name === 'uketsuke_agent_rollout_done')
    told.done = { ...told.done, [kind]: Math.min(value, told.done[kind] ?? value) };
  if (name === 'uketsuke_agent_rollout_waits' && why === 'kept') told.kept = [...told.kept, kind];
};

/**
 * The facilities of an answer of Prometheus' HTTP API (/api/v1/query). One whose end tells nothing is not among them, though its
 * alert rings. Throws where it is none, or was given at another time than `nowMs`: yesterday's health is nobody's.
 */
export const healthOf = (answer: string, nowMs: number): Health => {
  const parsed = answer.length > longestAnswer ? null : parseJson(answer, answerSchema);
  if (parsed === null) throw new Error(notAnAnswer);
  const { result } = parsed.data;
  if (result.some(({ value: [at] }) => Math.abs(at * 1_000 - nowMs) > toleratedMs))
    throw new Error(
      "Prometheus' answer is of another time than this machine's: an old file, or one of the clocks is wrong",
    );
  const facilities = new Map<string, Draft>();
  for (const { metric } of result) {
    const { __name__: name, facility } = metric;
    if (name === 'uketsuke_agent_broker_up' && facility !== undefined)
      facilities.set(facility, { taken: {}, done: {}, kept: [], alerts: [], failed: [] });
  }
  for (const sample of result) {
    const told = facilities.get(sample.metric.facility ?? '');
    if (told !== undefined) addTo(told, sample);
  }
  return facilities;
};

/** The answer itself, from the chain's Prometheus. Throws, with its address, where it does not answer. */
const askPrometheus = async (address: string): Promise<string> => {
  const url = new URL('api/v1/query', address.endsWith('/') ? address : `${address}/`);
  url.searchParams.set('query', healthQuery);
  const silent = new Error(`${address}: Prometheus does not answer`);
  const answer = await fetch(url, { signal: AbortSignal.timeout(answerMs) }).catch(() => null);
  if (answer?.ok !== true || answer.body === null) throw silent;
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const piece of answer.body) {
      length += piece.length;
      // Whatever answers there fills no memory.
      if (length > longestAnswer) break;
      pieces.push(piece);
    }
  } catch {
    throw silent;
  }
  if (length > longestAnswer) throw new Error(notAnAnswer);
  return Buffer.concat(pieces).toString('utf8');
};

export type HealthSource = { readonly prometheus?: string; readonly answer?: string };

export const readHealth = async ({ prometheus, answer }: HealthSource, nowMs: () => number): Promise<Health> => {
  if ((prometheus === undefined) === (answer === undefined)) throw new Error('one of --prometheus and --answer');
  const text = prometheus === undefined ? readGiven(answer ?? '').toString('utf8') : await askPrometheus(prometheus);
  return healthOf(text, nowMs());
};
