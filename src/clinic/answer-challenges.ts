import { randomBytes } from 'node:crypto';
import { openSigned } from '../app/seal.ts';
import { failure } from '../core/failure.ts';
import { err, type Result } from '../core/result.ts';
import { challengeRequestSchema } from '../protocol/messages.ts';
import type { AgentContext, Incoming } from './agent-context.ts';
import type { AgentPost } from './agent-post.ts';

/** A terminal keeps a few in stock; whoever replays its questions cannot fill the disk. */
const maximumOpenChallenges = 48;

/** Fresh challenges, written down before they go out: one that is not in the journal is not ours. */
export const answerChallenges = async (
  { device, payload }: Incoming,
  { journal, keys, clock, options }: AgentContext,
  post: AgentPost,
): Promise<Result<void>> => {
  const { facility, agent } = keys();
  const addressee = { facility, device: device.device };
  const opened = await openSigned('challenge-request', payload, challengeRequestSchema, [device.signing], addressee);
  if (!opened.ok) return opened;
  const now = clock.now().wallMs;
  const { challengeRequestId, wanted } = opened.value.message;
  const room = maximumOpenChallenges - journal.openChallenges(device.device, now);
  if (room <= 0) return err(failure('message.stale', 'as many challenges are open as one terminal may have'));
  const challenges = Array.from({ length: Math.min(wanted, room) }, () => ({
    nonce: randomBytes(32).toString('base64url'),
    agent,
    issuedAt: now,
    expiresAt: now + options.challengeLifeMs,
  }));
  journal.addChallenges(device.device, challenges);
  return post.signed(device, 'challenge', { challengeRequestId, agentTime: now, challenges }, challengeRequestId);
};
