import { createPrivateKey, randomUUID } from 'node:crypto';
import { type WarningDays, warningOf } from '../core/certificate-life.ts';
import { dayMs } from '../core/time-units.ts';
import type { EventLog } from '../log/event-log.ts';
import { newTlsKey, signCertificateRequest } from '../trust/certificate-request.ts';
import { certificateOf, clientChainError, commonNameOf } from '../trust/client-chain.ts';
import type { TlsFiles } from '../trust/key-files.ts';
import { certificatesOf, type KnownTime } from '../trust/server-chain.ts';
import { keepRenewed, nextKey } from '../trust/tls-pairs.ts';
import { certificateAnswerSchema } from '../wire/certificate-messages.ts';

type LinkCertificateOptions = {
  /** Where renewed keys are kept: the link's own state */
  readonly directory: string;
  readonly facility: string;
  readonly device: string;
  readonly inForce: TlsFiles;
  readonly time: () => KnownTime;
  readonly log: EventLog;
  readonly send: (request: Uint8Array) => Promise<unknown>;
  /** A newer one is on the disk: from now on the link goes by it */
  readonly adopt: (tls: TlsFiles) => void;
};

/** What the terminal is told, to tell the clinic. `days`: the warning that holds. */
type CertificateEnd = { readonly endsMs: number; readonly days: WarningDays | null };

/**
 * The device's certificate renews itself from the first warning on. Each step is on the disk before the next: the new key
 * before it is asked with, the pair before it is used. Whoever is killed in between goes on where he stood: the same key is
 * asked with again and gets the same certificate, and until the new pair is in force the old one is.
 */
export class LinkCertificate {
  readonly #options: LinkCertificateOptions;
  #inForce: TlsFiles;
  #asked: { readonly requestId: string; readonly key: string } | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: LinkCertificateOptions) {
    this.#options = options;
    this.#inForce = options.inForce;
  }

  get end(): CertificateEnd {
    const endsMs = certificateOf(this.#inForce.certificate)?.validToDate.getTime() ?? 0;
    return { endsMs, days: warningOf(endsMs, this.#options.time()) };
  }

  /** Asks for a newer one when it is due. */
  look(): Promise<void> {
    return this.#enqueue(async () => {
      if (this.end.days === null) return;
      const { directory, facility, device, send } = this.#options;
      const key = await nextKey(directory, this.#inForce, newTlsKey);
      const requestId = randomUUID();
      this.#asked = { requestId, key };
      await send(await signCertificateRequest({ facility, device, requestId }, this.#inForce, key));
    });
  }

  /** What came on the topic of the answer: anybody may have written it. */
  receive(payload: Uint8Array): Promise<void> {
    return this.#enqueue(async () => {
      const { facility, device, log, time, directory, adopt } = this.#options;
      const asked = this.#asked;
      const parsed = parse(payload);
      if (asked === null || parsed === null || parsed.requestId !== asked.requestId) return;
      const chain = parsed.chain.map(certificateOf).filter((each) => each !== null);
      const [leaf] = chain;
      const wrong =
        parsed.facility !== facility || parsed.device !== device || leaf === undefined || commonNameOf(leaf) !== device
          ? 'for another'
          : clientChainError(chain, certificatesOf(this.#inForce.ca), time());
      const renewed = {
        key: asked.key,
        certificate: parsed.chain.map((pem) => `${pem.trim()}\n`).join(''),
        ca: this.#inForce.ca,
      };
      const lasts = leaf !== undefined && leaf.validToDate.getTime() > this.end.endsMs;
      if (wrong !== null || !lasts || leaf === undefined || !leaf.checkPrivateKey(createPrivateKey(asked.key)))
        return log.event('certificate.refused', { device, code: 'message.forged' });
      await keepRenewed(directory, renewed);
      this.#inForce = renewed;
      this.#asked = null;
      log.event('certificate.renewed', {
        owner: device,
        days: Math.round((leaf.validToDate.getTime() - time().wallMs) / dayMs),
      });
      adopt(renewed);
    });
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work).catch((error: unknown) => {
      const errorCode = (error as NodeJS.ErrnoException).code;
      this.#options.log.event('store.failed', typeof errorCode === 'string' ? { errorCode } : {});
    });
    this.#last = done;
    return done;
  }
}

const parse = (payload: Uint8Array) => {
  if (payload.length > 20_000) return null;
  try {
    return certificateAnswerSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)));
  } catch {
    return null;
  }
};
