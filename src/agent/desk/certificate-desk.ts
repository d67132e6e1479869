import { createPublicKey, X509Certificate } from 'node:crypto';
import { surelyReachedMs, type WarningDays, warningDays, warningOf } from '../../core/certificate-life.ts';
import { failure } from '../../core/failure.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { dayMs } from '../../core/time-units.ts';
import { newTlsKey, openCertificateRequest } from '../../trust/certificate-request.ts';
import { certificateOf, clientChainError, commonNameOf } from '../../trust/client-chain.ts';
import type { TlsFiles } from '../../trust/key-files.ts';
import { certificatesOf } from '../../trust/server-chain.ts';
import { keepRenewed, nextKey } from '../../trust/tls-pairs.ts';
import { type CertificateAnswer, certificateLeaves, certificateTopic } from '../../wire/certificate-messages.ts';
import type { AgentContext } from '../agent-context.ts';
import { issueClient, readIssued, readIssuingAuthority } from '../provisioning/issuing-authority.ts';

type Context = Pick<AgentContext, 'keys' | 'devices' | 'bus' | 'time' | 'log' | 'changed'>;

type CertificateDeskOptions = {
  /** The agent's: its issuing authority, what it has issued, its own renewed keys */
  readonly directory: string;
  readonly context: Context;
  /** What the agent shows to the broker now */
  readonly inForce: TlsFiles;
  /** Of the broker's certificate, as far as it has been seen. ms since 1970 UTC */
  readonly brokerEndsMs?: () => number | null;
  /** The agent's own, renewed and on the disk: from now on it goes by this */
  readonly adopt: (tls: TlsFiles) => void;
};

/** What ends soon at this end, for staff. */
type CertificateWarning = {
  readonly what: 'agent' | 'issuer' | 'broker';
  readonly days: WarningDays;
  readonly endsMs: number;
};

/** A device's clock may be a little ahead of ours: it may ask so much before the first warning. ms */
const earlyMs = 30 * dayMs;

/**
 * Renews certificates from the issuing authority beside the agent. A request carries no time: whoever records one and says
 * it again gets the same certificate, for a key that he has not.
 */
export class CertificateDesk {
  readonly #options: CertificateDeskOptions;
  readonly #unsubscribe: () => void;
  #inForce: TlsFiles;
  #issuerEndsMs: number | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: CertificateDeskOptions) {
    this.#options = options;
    this.#inForce = options.inForce;
    const { bus, keys } = options.context;
    this.#unsubscribe = bus.subscribe(
      certificateTopic(keys().facility, '+', 'request'),
      ({ topic, payload }) => void this.#enqueue(() => this.#receive(topic, payload)),
      // A broker whose access rules are older: certificates are as they were before there was this.
      { granted: () => {} },
    );
  }

  close(): void {
    this.#unsubscribe();
  }

  /** Own certificate: renewed when it is due. To be called now and then, at most one at a time is worked on. */
  look(): Promise<void> {
    return this.#enqueue(() => this.#renewOwn());
  }

  warnings(): readonly CertificateWarning[] {
    const time = this.#options.context.time();
    const ends = [
      { what: 'agent' as const, endsMs: certificateOf(this.#inForce.certificate)?.validToDate.getTime() ?? null },
      { what: 'issuer' as const, endsMs: this.#issuerEndsMs },
      { what: 'broker' as const, endsMs: this.#options.brokerEndsMs?.() ?? null },
    ];
    return ends.flatMap(({ what, endsMs }) => {
      const days = endsMs === null ? null : warningOf(endsMs, time);
      return endsMs === null || days === null ? [] : [{ what, days, endsMs }];
    });
  }

  /** One after the other: the list of what was issued is read and written whole. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work).catch((error: unknown) => {
      const errorCode = (error as NodeJS.ErrnoException).code;
      this.#options.context.log.event('store.failed', typeof errorCode === 'string' ? { errorCode } : {});
    });
    this.#last = done;
    return done;
  }

  async #receive(topic: string, payload: Uint8Array): Promise<void> {
    const { context } = this.#options;
    const device = topic.split('/')[3] ?? '';
    const answered = await this.answer(device, payload);
    if (!answered.ok) {
      const { code } = answered.failure;
      return context.log.event('certificate.refused', {
        device: context.devices().has(device) ? device : 'unknown',
        code,
      });
    }
    const answer = new TextEncoder().encode(JSON.stringify(answered.value));
    await context.bus.publish(certificateTopic(context.keys().facility, device, 'answer'), answer);
  }

  /** The answer to a device's request; the certificate in it is on the disk. */
  async answer(device: string, payload: Uint8Array): Promise<Result<CertificateAnswer>> {
    const { context, directory } = this.#options;
    const refused = (detail: string) => err(failure('message.forged', `${certificateLeaves.request}: ${detail}`));
    const entry = context.devices().get(device);
    if (entry === undefined || entry.revoked) return refused('no device of this facility');
    const opened = await openCertificateRequest(payload);
    if (!opened.ok) return opened;
    const { request, newPublicKey } = opened.value;
    if (request.facility !== context.keys().facility || request.device !== device) return refused('for another device');
    const chain = request.chain.map(certificateOf).filter((each) => each !== null);
    const [held] = chain;
    if (held === undefined || commonNameOf(held) !== device) return refused('certificate of another');
    const time = context.time();
    const wrong = clientChainError(chain, certificatesOf(this.#inForce.ca), time);
    if (wrong !== null) return refused(wrong);
    const heldSerial = held.serialNumber.toLowerCase();
    const serials = [entry.certificateSerial, ...(await this.#serialsOf(device))].map((each) => each.toLowerCase());
    if (!serials.includes(heldSerial)) return refused('not the certificate that was issued');
    // Of a doubted clock the new certificate's first day would be a guess: asked again when the time is known.
    if (time.certainty === 'doubted') return err(failure('message.stale', 'the time is not known'));
    const issuer = await this.#issuer();
    if (issuer === null) return refused('no issuing authority');
    const endsMs = held.validToDate.getTime();
    if (endsMs - time.wallMs > warningDays[0] * dayMs + earlyMs) return err(failure('message.stale', 'not due'));
    if (issuer.endsMs <= endsMs) return err(failure('message.stale', 'the issuing authority ends first'));
    const chainPem = await issueClient(directory, issuer, {
      name: device,
      publicKey: newPublicKey,
      nowMs: time.wallMs,
    });
    context.log.event('certificate.issued', { device });
    return ok({ facility: request.facility, device, requestId: request.requestId, chain: [...chainPem] });
  }

  async #serialsOf(name: string): Promise<readonly string[]> {
    const issued = await readIssued(this.#options.directory);
    return issued.filter((each) => each.name === name).map(({ serial }) => serial);
  }

  /** Read each time: a new one may have been brought while the agent runs. */
  async #issuer() {
    const issuer = await readIssuingAuthority(this.#options.directory);
    const endsMs = certificateOf(issuer?.certificate ?? '')?.validToDate.getTime() ?? null;
    this.#issuerEndsMs = endsMs;
    return issuer === null || endsMs === null ? null : { ...issuer, endsMs };
  }

  async #renewOwn(): Promise<void> {
    const { context, directory, adopt } = this.#options;
    const issuer = await this.#issuer();
    const held = certificateOf(this.#inForce.certificate);
    const time = context.time();
    if (issuer === null || held === null || time.certainty === 'doubted') return;
    const endsMs = held.validToDate.getTime();
    if (warningOf(endsMs, time) === null || issuer.endsMs <= endsMs || surelyReachedMs(time) > issuer.endsMs) return;
    const key = await nextKey(directory, this.#inForce, newTlsKey);
    const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
    const name = commonNameOf(held) ?? context.keys().agent;
    const chain = await issueClient(directory, issuer, { name, publicKey, nowMs: time.wallMs });
    const renewed = { key, certificate: chain.map((pem) => `${pem.trim()}\n`).join(''), ca: this.#inForce.ca };
    await keepRenewed(directory, renewed);
    this.#inForce = renewed;
    context.log.event('certificate.renewed', { owner: name, days: daysOf(chain[0], time.wallMs) });
    adopt(renewed);
    context.changed();
  }
}

const daysOf = (pem: string | undefined, nowMs: number): number =>
  Math.round((new X509Certificate(pem ?? '').validToDate.getTime() - nowMs) / dayMs);
