import { type FailureCode, failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { dayMs, hourMs } from '../../core/time-units.ts';
import { mayRefuseByDate } from '../../core/trusted-time.ts';
import { fromBase64url } from '../../protocol/base64url.ts';
import { parseDocument } from '../../protocol/evidence.ts';
import { hashOf } from '../../trust/document-hash.ts';
import { openSealed } from '../../trust/seal.ts';
import { type EligibilityRequest, testApprover } from '../../wire/messages.ts';
import type { AgentContext, Incoming } from '../agent-context.ts';
import type { AgentPost } from '../agent-post.ts';
import type { JournalVisit, NewRequest, Personal } from '../journal/journal.ts';
import type { Fresh } from '../journal/journal-schema.ts';
import type { DeviceEntry } from '../provisioning/agent-keys.ts';
import type { ConsentTexts } from './consent-texts.ts';
import type { LookupMemory } from './lookup-memory.ts';
import { type EvidenceVerdict, verifyDevice, verifyPatient } from './verify-evidence.ts';

/** A terminal's clock may go ahead of ours by this much; a request signed later than that is from another time. */
const clockSkewMs = 5 * 60_000;

/** No visit takes longer; a consent given before that is of another one. ms */
const visitMs = 2 * hourMs;

/** '' where the chip could not be read */
const certificateHash = ({ authCertificate }: EligibilityRequest): string => {
  const der = authCertificate === undefined ? null : fromBase64url(authCertificate);
  return der === null ? '' : hashOf(der);
};

/** A certificate issued so lately may not be known to the service yet. ms */
const renewedMs = 7 * dayMs;

/** By word alone: dates are kept of nobody here. */
const certificateWord = (verdict: EvidenceVerdict | null, nowMs: number): JournalVisit['certificateState'] => {
  const checked = verdict?.certificate;
  if (!checked) return null;
  if (checked.state !== 'valid') return checked.state;
  return nowMs - checked.certificate.notBeforeMs < renewedMs ? 'renewed' : 'valid';
};

/** What comes after the receipt: the service is asked, or a result that is known already is told again. */
type AfterReceipt = { start(visit: JournalVisit, device: DeviceEntry, fresh?: Fresh): void };

type RequestParts = {
  readonly context: AgentContext;
  readonly post: AgentPost;
  readonly memory: LookupMemory;
  readonly afterReceipt: AfterReceipt;
  readonly consentTexts: ConsentTexts;
};

/**
 * A request: opened, its device proven, everything else verified, written down for good, receipted; a known id is
 * answered as before. What no known device signed gets no receipt and takes no id: an id can be taken only by its own device.
 */
export const receiveRequest = async ({ device, payload }: Incoming, parts: RequestParts): Promise<Result<void>> => {
  const { keys, journal, clock } = parts.context;
  const startedMs = clock.now().monotonicMs;
  const opened = await openSealed('request', payload, keys().sealing);
  if (!opened.ok) return opened;
  const parsed = parseDocument(opened.value);
  if (!parsed.ok) return parsed;
  const document = parsed.value;
  const { request } = document;
  if (request.agent !== keys().agent) {
    if (!keys().agents.some(({ owner }) => owner === request.agent))
      return err(failure('message.stale', 'request to an agent that is not of this facility'));
    // Its challenge stands in the journal that both share, where they do: whoever answers the terminal (lane-share.ts) takes it.
    if (!journal.leases.isShared) return ok(undefined);
  }
  if (request.facility !== keys().facility || request.device !== device.device)
    return err(failure('message.forged', 'request for another lane'));

  const now = clock.now().wallMs;
  const { trust } = parts.context;
  const datesCount = mayRefuseByDate(parts.context.time());
  const { facility, agent, agents } = keys();
  const approvers = journal.leases.isShared ? agents.map(({ owner }) => owner) : [agent];
  const evidence = { facility, device, approvers, agents, trust, nowMs: now, datesCount };
  // Signatures are verified on other threads: the card's need not wait for the device's.
  const [fromDevice, verdict] = await Promise.all([verifyDevice(document, device), verifyPatient(document, evidence)]);
  if (!fromDevice.ok) return fromDevice;

  const documentHash = hashOf(opened.value);
  const code = verdict.ok ? remainingCheck(verdict.value, parts, now) : verdict.failure.code;
  const row = rowOf(request, documentHash, verdict.ok ? verdict.value : null, code, parts.context);
  const recorded = await journal.together('now', () => journal.record(row));
  if (recorded.kind === 'other-document') return refuseOtherDocument(request, documentHash, device, parts);
  const { visit } = recorded;
  if (recorded.kind === 'repeated') return giveReceipt(visit, device, parts);
  const { log } = parts.context;
  if (visit.verdict === 'accepted') {
    parts.memory.forgetAnswersBefore(visit.session, now);
    log.event('agent.request-journaled', {
      request: visit.requestId,
      session: visit.session,
      device: device.device,
      ms: clock.now().monotonicMs - startedMs,
    });
  } else
    log.event('agent.request-refused', {
      request: visit.requestId,
      device: device.device,
      code: visit.code as FailureCode,
    });
  parts.context.changed();
  const { lease } = recorded;
  return giveReceipt(visit, device, parts, lease === null ? undefined : { personal: row.personal, lease });
};

/**
 * Consents confirmed by one touch are those of the pre-check-in that this visit was offered, one by one. What an agent offered
 * before it began anew, or another one did, it does not know: the texts that were on the screen still say which answers.
 */
const isAsOffered = (
  { preCheckIn, session }: EligibilityRequest,
  confirmed: EligibilityRequest['consents'],
  memory: LookupMemory,
  nowMs: number,
): boolean => {
  const offered = memory.preCheckInOf(session, nowMs);
  if (preCheckIn === undefined) return confirmed.length === 0;
  if (offered === undefined) return true;
  return (
    offered.id === preCheckIn &&
    confirmed.every(({ code, given }) => offered.consents.some((one) => one.code === code && one.given === given))
  );
};

/** What the document alone cannot tell: our catalogue, our clock, what the service said a moment ago. */
const remainingCheck = (
  { request, certificate, approval }: EvidenceVerdict,
  { consentTexts, memory, context }: RequestParts,
  nowMs: number,
): FailureCode | undefined => {
  // The approval of a test lets nobody through, and nobody else's approval makes a test.
  if ((request.kind === 'test') !== (approval?.approver === testApprover)) return 'message.forged';
  if (request.kind === 'test' && (certificate !== null || request.consents.length > 0)) return 'message.malformed';
  const versions = [request.catalogueVersion, ...request.consents.map(({ catalogueVersion }) => catalogueVersion)];
  if (!versions.every((version) => consentTexts.versions.has(version))) return 'consent.text-unknown';
  const confirmed = request.consents.filter((consent) => consentTexts.isConfirmed(consent));
  if (!request.consents.every((consent) => confirmed.includes(consent) || consentTexts.isShown(consent)))
    return 'consent.text-unknown';
  if (!isAsOffered(request, confirmed, memory, nowMs)) return 'message.forged';
  if (mayRefuseByDate(context.time()) && request.issuedAt > nowMs + clockSkewMs) return 'message.stale';
  // Agreed to in this visit, by the terminal's own account: not years ago, and not in years to come.
  if (!request.consents.every(({ at }) => at >= request.issuedAt - visitMs && at <= request.issuedAt + clockSkewMs))
    return 'consent.time-implausible';
  if (certificate !== null && memory.isRevoked(certificate.certificate.serial, nowMs))
    return 'card.certificate-revoked';
  // The card that the visit began with, by its lookup: another card is another visit.
  const begunWith = memory.certificateOf(request.session, nowMs);
  if (begunWith !== undefined && begunWith !== certificateHash(request)) return 'message.forged';
  return undefined;
};

const rowOf = (
  request: EligibilityRequest,
  documentHash: string,
  verdict: EvidenceVerdict | null,
  code: FailureCode | undefined,
  { clock, time, options, keys }: AgentContext,
): NewRequest => {
  const receivedAt = clock.now().wallMs;
  return {
    requestId: request.requestId,
    device: request.device,
    lane: request.lane,
    session: request.session,
    kind: request.kind,
    documentHash,
    method: request.verificationMethod,
    consents: Object.fromEntries(request.consents.map(({ code: consent, given }) => [consent, given])),
    challenge: request.challenge,
    certificate: certificateHash(request),
    certificateState: certificateWord(verdict, receivedAt),
    code,
    issuedAt: request.issuedAt,
    receivedAt,
    expiresAt: request.expiresAt,
    personal: personalOf(request, verdict),
    personalLifeMs: options.personalLifeMs,
    recordedBy: keys().agent,
    datesCount: mayRefuseByDate(time()),
  };
};

const personalOf = (request: EligibilityRequest, verdict: EvidenceVerdict | null): Personal => ({
  ...(verdict?.certificate && {
    authCertificate: request.authCertificate,
    certificateSerial: verdict.certificate.certificate.serial,
  }),
  ...(verdict?.visual && { birthdate: verdict.visual.birthDate, sex: verdict.visual.sex }),
  limitApplication: request.limitApplicationBasis !== undefined,
  prescriptionForm: request.prescriptionForm,
  approvedDocuments: request.approvedDocuments ?? [],
  medicalSubsidyUse: request.medicalSubsidyUse,
  preCheckIn: request.preCheckIn,
  catalogueVersion: request.catalogueVersion,
  consentTimes: request.consents.map(({ code, given, at }) => ({ code, given, at })),
});

const giveReceipt = async (
  visit: JournalVisit,
  device: DeviceEntry,
  parts: RequestParts,
  fresh?: Fresh,
): Promise<Result<void>> => {
  const { requestId, documentHash, receivedAt, verdict, code } = visit;
  const { agent } = parts.context.keys();
  const receipt = { requestId, documentHash, receivedAt, agent, verdict, ...(verdict === 'refused' && { code }) };
  const sent = await parts.post.signed(device, 'receipt', receipt, requestId);
  // Also when the receipt could not be sent: what is accepted is done, and the terminal asks again for its receipt.
  if (verdict === 'accepted') parts.afterReceipt.start(visit, device, fresh);
  return sent;
};

/** The first document under this id stands; whoever sent the second is told so, nothing is written. */
const refuseOtherDocument = async (
  request: EligibilityRequest,
  documentHash: string,
  device: DeviceEntry,
  { context, post }: RequestParts,
): Promise<Result<void>> => {
  await post.signed(
    device,
    'receipt',
    {
      requestId: request.requestId,
      documentHash,
      receivedAt: context.clock.now().wallMs,
      agent: context.keys().agent,
      verdict: 'refused',
      code: 'message.stale',
    },
    request.requestId,
  );
  return err(failure('message.stale', 'another document under a known request id'));
};
