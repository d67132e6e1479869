import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { mayRefuseByDate } from '../../core/trusted-time.ts';
import { fromBase64url } from '../../protocol/base64url.ts';
import { hashOf } from '../../trust/document-hash.ts';
import { openSealedAndSigned } from '../../trust/seal.ts';
import { type LookupResult, lookupSchema } from '../../wire/messages.ts';
import type { AgentContext, Incoming } from '../agent-context.ts';
import type { AgentPost } from '../agent-post.ts';
import type { CardReference, LookupAnswer } from '../eligibility/eligibility-service.ts';
import type { LookupMemory } from './lookup-memory.ts';
import type { RecentIds } from './recent-ids.ts';
import { checkCardCertificate } from './verify-evidence.ts';

/** How long a maintenance whose end the service does not tell is assumed to go on. */
const unknownMaintenanceMs = 30 * 60_000;
const unknownAnswer = { registered: 'unknown', certificateStatus: 'unknown', medicalSubsidy: false } as const;

const askService = async (
  context: AgentContext,
  { der, session }: { readonly der: Uint8Array; readonly session: string },
  memory: LookupMemory,
): Promise<
  Pick<
    LookupResult,
    'registered' | 'certificateStatus' | 'medicalSubsidy' | 'specificDisease' | 'pendingDocuments' | 'maintenance'
  >
> => {
  const now = context.clock.now().wallMs;
  const checked = checkCardCertificate(der, context.trust, now, mayRefuseByDate(context.time()));
  if (!checked.ok) return unknownAnswer;
  memory.noteCertificate(session, hashOf(der), now);
  const card: CardReference = {
    certificateSerial: checked.value.certificate.serial,
    authCertificate: der,
    requestId: session,
  };
  const answer = await context.service.lookup(card);
  if (answer.ok) {
    if (answer.value.certificateStatus === 'revoked') memory.noteRevoked(card.certificateSerial, now);
    memory.notePerson(card.certificateSerial, answer.value.person, now);
    return asShown(answer.value, context);
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
  { memory, answered }: { readonly memory: LookupMemory; readonly answered: RecentIds },
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
  if (!answered.add(lookupId)) return err(failure('message.stale', 'lookup played again'));
  const der = fromBase64url(authCertificate);
  if (der === null) return err(failure('message.malformed', 'lookup: certificate'));
  const { prescriptionUse, prescriptionTiming } = settings();
  const answer = await askService(context, { der, session }, memory);
  const prescription = { use: prescriptionUse, timing: prescriptionTiming };
  const sent = await post.sealed(device, 'lookup-result', { lookupId, prescription, ...answer }, lookupId);
  return sent.ok ? ok(undefined) : sent;
};
