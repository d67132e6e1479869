import type { Result } from '../core/result.ts';
import type {
  Challenge,
  CommandMessage,
  LookupResult,
  Receipt,
  ResultMessage,
  SettingsMessage,
  StateMessage,
} from '../protocol/messages.ts';
import type { SignedRequest } from './sign-request.ts';

export type ClinicEvent =
  | { readonly type: 'connected' }
  | { readonly type: 'disconnected' }
  | { readonly type: 'challenges-ready'; readonly ready: boolean }
  | { readonly type: 'receipt'; readonly receipt: Receipt; readonly session: string }
  | { readonly type: 'result'; readonly result: ResultMessage }
  | { readonly type: 'request-expired'; readonly requestId: string; readonly session: string }
  /** Told to a new listener at once when settings are known. */
  | { readonly type: 'settings'; readonly message: SettingsMessage }
  | { readonly type: 'command'; readonly message: CommandMessage };

/** The terminal's side of the way to the clinic: nothing is told upwards that was not signed by an agent and meant for us. */
export interface ClinicLink {
  readonly connected: boolean;
  /** A challenge with at least this much life, handed out once and never again; null = none. The pool refills itself. */
  takeChallenge(minimumLifeMs: number): Challenge | null;
  challengesReady(minimumLifeMs: number): boolean;
  /** `delivery.offline`, or `eligibility.unavailable` when no answer came in time or the caller gave up. */
  lookup(session: string, authCertificateDer: Uint8Array, signal: AbortSignal): Promise<Result<LookupResult>>;
  /** ok = the row is durable; delivery goes on in the background until `receipt` or `request-expired`. */
  submit(signed: SignedRequest): Promise<Result<void>>;
  /** Retained; told again after each reconnect. */
  publishState(state: StateMessage): void;
  answerCommand(commandId: string, outcome: 'done' | 'refused', code?: string): void;
  subscribe(listener: (event: ClinicEvent) => void): () => void;
  close(): Promise<void>;
}
