import type { Clock } from '../../ports/clock.ts';
import { visitMark } from '../delivery/visit-mark.ts';

/** A card that lay there when the terminal restarted is read within seconds; who took it may put it back. ms */
const comesBackMs = 20_000;

type Found = { readonly requestId: string; readonly session: string; readonly mark: string };

/** Visits signed in an earlier run: which card each was of, and how long that card is waited for. */
export class EarlierVisits {
  readonly #clock: Clock;
  readonly #givenUp: (requestId: string) => void;
  readonly #tellFound: (found: { readonly requestId: string; readonly session: string }) => void;
  readonly #waiting = new Map<string, { readonly found: Found; readonly callOff: () => void }>();

  constructor(
    clock: Clock,
    givenUp: (requestId: string) => void,
    tellFound: (found: { readonly requestId: string; readonly session: string }) => void,
  ) {
    this.#clock = clock;
    this.#givenUp = givenUp;
    this.#tellFound = tellFound;
  }

  found(found: Found): void {
    const { requestId, session } = found;
    if (this.#waiting.has(requestId)) return;
    const callOff = this.#clock.wakeAt(this.#clock.now().monotonicMs + comesBackMs, () => {
      this.#waiting.delete(requestId);
      this.#givenUp(requestId);
    });
    this.#waiting.set(requestId, { found, callOff });
    this.#tellFound({ requestId, session });
  }

  /** The request that this card signed; from now on none of them is waited for. */
  of(authCertificate: Uint8Array): string | undefined {
    const all = [...this.#waiting.values()];
    this.close();
    return all.find(({ found }) => visitMark(found.session, authCertificate) === found.mark)?.found.requestId;
  }

  close(): void {
    for (const { callOff } of this.#waiting.values()) callOff();
    this.#waiting.clear();
  }
}
