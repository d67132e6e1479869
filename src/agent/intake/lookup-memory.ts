import type { LookupResult } from '../../wire/messages.ts';
import type { PersonOfService } from '../eligibility/eligibility-service.ts';

/** How long an answer about a card serves for the request that follows it. ms */
const lifeMs = 15 * 60_000;
/** Two hundred terminals have fewer patients in a quarter of an hour; what is forgotten cannot be compared with the request. */
const maximumRemembered = 16_384;

type Offered = Pick<NonNullable<LookupResult['preCheckIn']>, 'id' | 'consents'>;

type Remembered<T> = { readonly value: T; readonly untilMs: number };

class ForAWhile<T> {
  readonly #entries = new Map<string, Remembered<T>>();

  set(key: string, value: T, nowMs: number): void {
    // In the order in which they end.
    this.#entries.delete(key);
    for (const [known, { untilMs }] of this.#entries) {
      if (untilMs >= nowMs && this.#entries.size < maximumRemembered) break;
      this.#entries.delete(known);
    }
    this.#entries.set(key, { value, untilMs: nowMs + lifeMs });
  }

  get(key: string, nowMs: number): T | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.untilMs >= nowMs ? entry.value : undefined;
  }
}

/**
 * What the lookups of the last minutes told, in memory alone: which certificates are revoked (their request is refused in
 * the receipt already), which certificate a visit began with, what it was offered to confirm, and whose card it is (birth date
 * and sex, for the comparison with a signed 券面 before the service is asked for anything).
 */
export class LookupMemory {
  readonly #revoked = new ForAWhile<true>();
  readonly #certificates = new ForAWhile<string>();
  readonly #people = new ForAWhile<PersonOfService>();
  readonly #preCheckIns = new ForAWhile<Offered>();

  /** Of a visit that begins anew with the same session the newest counts: it is what its screen shows. */
  notePreCheckIn(session: string, { id, consents }: Offered, nowMs: number): void {
    this.#preCheckIns.set(session, { id, consents }, nowMs);
  }

  /** The visit's request is accepted: what was answered beforehand is of no more use here, and nothing is confirmed by it again. */
  forgetAnswersBefore(session: string, nowMs: number): void {
    const offered = this.#preCheckIns.get(session, nowMs);
    if (offered !== undefined) this.#preCheckIns.set(session, { ...offered, consents: [] }, nowMs);
  }

  preCheckInOf(session: string, nowMs: number): Offered | undefined {
    return this.#preCheckIns.get(session, nowMs);
  }

  noteRevoked(serial: string, nowMs: number): void {
    this.#revoked.set(serial, true, nowMs);
  }

  isRevoked(serial: string, nowMs: number): boolean {
    return this.#revoked.get(serial, nowMs) === true;
  }

  /** The first certificate of a visit stands: another card is another visit. */
  noteCertificate(session: string, certificateHash: string, nowMs: number): void {
    if (this.#certificates.get(session, nowMs) === undefined) this.#certificates.set(session, certificateHash, nowMs);
  }

  certificateOf(session: string, nowMs: number): string | undefined {
    return this.#certificates.get(session, nowMs);
  }

  notePerson(serial: string, person: PersonOfService, nowMs: number): void {
    this.#people.set(serial, person, nowMs);
  }

  personOf(serial: string, nowMs: number): PersonOfService | undefined {
    return this.#people.get(serial, nowMs);
  }
}
