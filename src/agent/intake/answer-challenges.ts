import { randomBytes } from 'node:crypto';
import { type FailureCode, failure } from '../../core/failure.ts';
import { err, type Result } from '../../core/result.ts';
import { openSigned } from '../../trust/seal.ts';
import { challengeRequestSchema } from '../../wire/messages.ts';
import { newestWire } from '../../wire/versions.ts';
import type { AgentContext, Incoming } from '../agent-context.ts';
import type { AgentPost } from '../agent-post.ts';
import type { RecentIds } from './recent-ids.ts';

/** A terminal keeps a few in stock; of more open ones the oldest are dropped, so that restarts never starve it. */
const maximumOpenChallenges = 48;

/**
 * 28 random bytes behind the second they were made in: those of one answer stand side by side in the journal's index, and
 * cost one page there instead of four.
 */
export const freshNonce = (nowMs: number): string => {
  const bytes = randomBytes(32);
  bytes.writeUInt32BE(Math.floor(nowMs / 1000) >>> 0);
  return bytes.toString('base64url');
};

/**
 * Told for as long as a challenge of before may live. Not after this clock was set back: what is handed out now would
 * bear an earlier instant, and be dropped with the rest.
 */
const forgotten = (before: number | null, now: number, lifeMs: number): { readonly voidBefore?: number } =>
  before !== null && before <= now && now - before <= lifeMs ? { voidBefore: before } : {};

/** Fresh challenges, written down before they go out: one that is not in the journal is not ours. */
export const answerChallenges = async (
  { device, payload }: Incoming,
  { journal, keys, clock, time, disk, options }: AgentContext,
  post: AgentPost,
  {
    answered,
    noteClock,
    folderFault,
  }: {
    readonly answered: RecentIds;
    readonly noteClock: (device: string, aheadMs: number) => void;
    readonly folderFault: () => FailureCode | null;
  },
): Promise<Result<void>> => {
  const { facility, agent } = keys();
  const addressee = { facility, device: device.device };
  const opened = await openSigned('challenge-request', payload, challengeRequestSchema, [device.signing], addressee);
  if (!opened.ok) return opened;
  const { challengeRequestId, wanted, requestedAt } = opened.value.message;
  if (!answered.add(challengeRequestId)) return err(failure('message.stale', 'challenge request played again'));
  const now = clock.now().wallMs;
  noteClock(device.device, requestedAt - now);
  const challenges = Array.from({ length: wanted }, () => ({
    nonce: freshNonce(now),
    agent,
    issuedAt: now,
    expiresAt: now + options.challengeLifeMs,
  }));
  let given = challenges;
  try {
    if (wanted > 0)
      await journal.together('soon', () => journal.addChallenges(device.device, challenges, maximumOpenChallenges));
  } catch (error) {
    // Said instead: a terminal that knows why nobody can be served asks nobody for consent.
    disk.failed(error);
    given = [];
  }
  const trouble = disk.fault ?? folderFault();
  const timeDoubted = time().certainty === 'doubted';
  return post.signed(
    device,
    'challenge',
    {
      ...{ challengeRequestId, agentTime: now, challenges: given, wire: newestWire },
      ...forgotten(journal.knowsNothingBefore, now, options.challengeLifeMs),
      ...(timeDoubted && { timeDoubted }),
      ...(trouble !== null && { trouble }),
    },
    challengeRequestId,
  );
};

/** To a terminal that was revoked, and signs as it did: no challenge, and why. */
export const refuseChallenges = async (
  { device, payload }: Incoming,
  { keys, clock }: AgentContext,
  post: AgentPost,
  answered: RecentIds,
): Promise<Result<void>> => {
  const addressee = { facility: keys().facility, device: device.device };
  const opened = await openSigned('challenge-request', payload, challengeRequestSchema, [device.signing], addressee);
  if (!opened.ok) return opened;
  const { challengeRequestId } = opened.value.message;
  if (!answered.add(challengeRequestId)) return err(failure('message.stale', 'challenge request played again'));
  const trouble: FailureCode = 'delivery.access-refused';
  const message = { challengeRequestId, agentTime: clock.now().wallMs, challenges: [], wire: newestWire, trouble };
  return post.signed(device, 'challenge', message, challengeRequestId);
};
