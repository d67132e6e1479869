import { type FailureCode, failure } from '../../core/failure.ts';
import { endOfJapanDay, japanDate } from '../../core/japan-time.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { mayRefuseByDate } from '../../core/trusted-time.ts';
import { describeError } from '../../log/event-log.ts';
import { fromBase64url } from '../../protocol/base64url.ts';
import { hashOf } from '../../trust/document-hash.ts';
import { openSealedAndSigned } from '../../trust/seal.ts';
import { type LookupResult, lookupSchema } from '../../wire/messages.ts';
import type { AgentContext, Incoming } from '../agent-context.ts';
import type { AgentPost } from '../agent-post.ts';
import type { CardReference, LookupAnswer } from '../eligibility/eligibility-service.ts';
import { checkPreCheckIn } from './check-pre-check-in.ts';
import type { ConsentTexts } from './consent-texts.ts';
import type { LookupMemory } from './lookup-memory.ts';
import type { RecentIds } from './recent-ids.ts';
import { type CheckedCertificate, checkCardCertificate } from './verify-evidence.ts';

/** How long a maintenance whose end the service does not tell is assumed to go on. */
const unknownMaintenanceMs = 30 * 60_000;
/** Of what a service brings no more is verified. */
const mostPreCheckIns = 4;
const unknownAnswer = { registered: 'unknown', certificateStatus: 'unknown', medicalSubsidy: false } as const;

type LookupParts = {
  readonly memory: LookupMemory;
  readonly answered: RecentIds;
  readonly consentTexts: () => ConsentTexts;
};

/**
 * What this patient signed beforehand, if it holds here and now. Never in the months of grace, where nothing is consented to, nor
 * while our own clock may not say which day it is: then everything is asked as ever.
 */
const preCheckInOf = async (
  { service, settings, clock, time, journal, log }: AgentContext,
  { card, checked, texts }: { card: CardReference; checked: CheckedCertificate; texts: ConsentTexts },
): Promise<LookupResult['preCheckIn']> => {
  const { preCheckIn: isOn, medicalInstitutionCode } = settings();
  const { publicKey } = checked.certificate;
  if (!isOn || checked.state === 'grace' || !mayRefuseByDate(time())) return undefined;
  // Which were used stood in the journal that is gone.
  if (journal.isRolledBack) return undefined;
  const brought = await service.preCheckIns?.(card, medicalInstitutionCode);
  const refused = (code: FailureCode): void =>
    log.event('agent.pre-check-in-refused', { session: card.requestId, code });
  if (brought?.ok === false) refused(brought.failure.code);
  if (brought?.ok !== true) return undefined;
  for (const jws of brought.value.slice(0, mostPreCheckIns)) {
    const nowMs = clock.now().wallMs;
    const found = await checkPreCheckIn(jws, {
      authCertificate: card.authCertificate,
      publicKey: publicKey.key,
      medicalInstitutionCode,
      nowMs,
      consentTexts: texts,
      isUsed: (id) => journal.isPreCheckInUsed(id),
    });
    if (found.ok) {
      const { id, consents, expiresAt } = found.value;
      const lastsMs = Math.min(expiresAt, endOfJapanDay(japanDate(nowMs)) + 1) - nowMs;
      return { id, consents: consents.map(({ code, given }) => ({ code, given })), lastsMs };
    }
    refused(found.failure.code);
  }
  return undefined;
};

const askService = async (
  context: AgentContext,
  { der, session }: { readonly der: Uint8Array; readonly session: string },
  parts: LookupParts,
): Promise<Omit<LookupResult, 'facility' | 'device' | 'lookupId' | 'prescription'>> => {
  const { memory } = parts;
  const now = context.clock.now().wallMs;
  const checked = checkCardCertificate(der, context.trust, now, mayRefuseByDate(context.time()));
  if (!checked.ok) return unknownAnswer;
  memory.noteCertificate(session, hashOf(der), now);
  const card: CardReference = {
    certificateSerial: checked.value.certificate.serial,
    authCertificate: der,
    requestId: session,
  };
  const [answer, preCheckIn] = await Promise.all([
    context.service.lookup(card),
    // Nothing of it keeps a patient from what the lookup tells.
    preCheckInOf(context, { card, checked: checked.value, texts: parts.consentTexts() }).catch((error: unknown) => {
      context.log.event('process.error', describeError(error));
      return undefined;
    }),
  ]);
  if (answer.ok) {
    if (answer.value.certificateStatus === 'revoked') memory.noteRevoked(card.certificateSerial, now);
    memory.notePerson(card.certificateSerial, answer.value.person, now);
    if (preCheckIn !== undefined) memory.notePreCheckIn(session, preCheckIn, now);
    return { ...asShown(answer.value, context), ...(preCheckIn !== undefined && { preCheckIn }) };
  }
  context.log.event('agent.service-failed', { code: answer.failure.code });
  if (answer.failure.code === 'eligibility.maintenance')
    return { ...unknownAnswer, maintenance: { until: now + unknownMaintenanceMs } };
  return unknownAnswer;
};

/** What this kind of facility offers to choose from: letters of referral where it takes them, e-prescriptions that wait. */
const offered = (answer: LookupAnswer, { settings, catalogues, clock }: AgentContext) => {
  const { institutionType, referralDocuments, prescriptionUse } = settings();
  const { consents } = catalogues.at(clock.now().wallMs);
  if (consents.kinds[institutionType].pendingDocuments === 'prescriptions')
    return prescriptionUse === 0 ? [] : answer.waitingPrescriptions;
  return referralDocuments ? answer.pendingDocuments : [];
};

const asShown = (answer: LookupAnswer, context: AgentContext) => {
  const documents = offered(answer, context);
  return {
    registered: answer.registered,
    certificateStatus: answer.certificateStatus,
    medicalSubsidy: answer.medicalSubsidy && context.settings().medicalSubsidy,
    ...(answer.specificDisease !== undefined && { specificDisease: answer.specificDisease }),
    ...(documents.length > 0 && { pendingDocuments: [...documents] }),
  };
};

/** What the terminal must know before it asks the patient: registered, revoked, PMH, prescription, waiting documents. */
export const answerLookup = async (
  { device, payload }: Incoming,
  context: AgentContext,
  post: AgentPost,
  parts: LookupParts,
): Promise<Result<void>> => {
  const { keys, settings } = context;
  const addressee = { facility: keys().facility, device: device.device };
  const opened = await openSealedAndSigned(
    'lookup',
    payload,
    lookupSchema,
    keys().sealing,
    [device.signing],
    addressee,
  );
  if (!opened.ok) return opened;
  const { lookupId, session, authCertificate } = opened.value.message;
  if (!parts.answered.add(lookupId)) return err(failure('message.stale', 'lookup played again'));
  const der = fromBase64url(authCertificate);
  if (der === null) return err(failure('message.malformed', 'lookup: certificate'));
  const { prescriptionUse, prescriptionTiming } = settings();
  const answer = await askService(context, { der, session }, parts);
  const prescription = { use: prescriptionUse, timing: prescriptionTiming };
  const sent = await post.sealed(device, 'lookup-result', { lookupId, prescription, ...answer }, lookupId);
  return sent.ok ? ok(undefined) : sent;
};
