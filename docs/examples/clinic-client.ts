/*
 * A typed client of Uketsuke: terminal and clinic agent 0.1.0, made from docs/asyncapi.yaml by `npm run asyncapi`; a test
 * holds it equal. It imports nothing: copy it. Transport, keys and validator are yours (docs/examples/typed-client.mjs).
 * Instants are ms since 1970 UTC by the clock of whoever wrote them, bytes are base64url.
 */

/** What the terminal says of itself; also its last will. A hint for staff, never trusted. */
export type State =
  | {
      readonly device: string;
      readonly lane: number;
      readonly version: string;
      readonly profile: 'release' | 'demo';
      readonly status: 'idle' | 'busy' | 'out-of-service' | 'offline';
      readonly phase?: string;
      readonly session?: string;
      readonly failureCode?: string;
      readonly catalogueVersion: string;
      readonly since: number;
    }
  | {
      readonly device: string;
      readonly lane: number;
      readonly version: string;
      readonly profile: 'release' | 'test' | 'demo';
      readonly status: 'idle' | 'busy' | 'out-of-service' | 'offline';
      readonly phase?: string;
      readonly session?: string;
      readonly code?: string;
      readonly catalogueVersion: string;
      readonly since: number;
      readonly settingsVersion?: number;
      readonly late?: readonly string[];
      readonly lastAccepted?: { readonly requestId: string; readonly at: number };
      readonly helpCalledAt?: number;
      readonly language?: string;
      readonly abandoned?: { readonly session: string; readonly at: number; readonly reason: string };
      readonly update?: {
        readonly state: string;
        readonly wait?: string;
        readonly next?: string;
        readonly last?: {
          readonly version: string;
          readonly outcome: 'installed' | 'fell-back' | 'refused';
          readonly reason?: string;
          readonly at: number;
        };
      };
      readonly certificateWarning?: { readonly days: 60 | 30 | 14 | 7; readonly endsAt: number };
      readonly about?: {
        readonly run: string;
        readonly boot?: string;
        readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
        readonly returns: { readonly reader: number; readonly face: number; readonly screen: number };
        readonly reported?: string;
      };
      readonly figures?: {
        readonly up_seconds?: number;
        readonly memory_bytes?: number;
        readonly store_free_bytes?: number;
        readonly certificate_left_seconds?: number;
        readonly clock_ahead_seconds?: number;
        readonly requests_waiting?: number;
        readonly reader_up?: number;
        readonly face_up?: number;
        readonly screen_up?: number;
        readonly keypad_up?: number;
        readonly light_up?: number;
        readonly broker_up?: number;
        readonly agent_up?: number;
        readonly visits_accepted_total?: number;
        readonly visits_refused_total?: number;
        readonly visits_desk_total?: number;
        readonly visits_cancelled_total?: number;
        readonly parts_lost_total?: number;
        readonly card_resets_total?: number;
        readonly warnings_total?: number;
        readonly errors_total?: number;
      };
    };
/** The terminal wants challenges ahead of its next visits. */
export type ChallengeRequest = {
  readonly facility: string;
  readonly device: string;
  readonly challengeRequestId: string;
  readonly requestedAt: number;
  readonly wanted: number;
};
/** Challenges, each good for one request to the agent that made it, until it expires. */
export type Challenge = {
  readonly facility: string;
  readonly device: string;
  readonly challengeRequestId: string;
  readonly agentTime: number;
  readonly timeDoubted?: boolean;
  readonly trouble?: string;
  readonly challenges: readonly {
    readonly nonce: string;
    readonly agent: string;
    readonly issuedAt: number;
    readonly expiresAt: number;
  }[];
  readonly voidBefore?: number;
  readonly wire?: number;
};
/** A card was read: is it registered, is its certificate good? */
export type Lookup = {
  readonly facility: string;
  readonly device: string;
  readonly lookupId: string;
  readonly session: string;
  readonly requestedAt: number;
  readonly authCertificate: string;
};
/** What the terminal must know before it asks for consents. */
export type LookupResult = {
  readonly facility: string;
  readonly device: string;
  readonly lookupId: string;
  readonly registered: 'yes' | 'no' | 'unknown';
  readonly certificateStatus: 'good' | 'revoked' | 'unknown';
  readonly medicalSubsidy: boolean;
  readonly specificDisease?: boolean;
  readonly prescription: { readonly use: number; readonly timing: number };
  readonly pendingDocuments?: readonly {
    readonly id: string;
    readonly title: string;
    readonly from: string;
    readonly date: string;
  }[];
  readonly maintenance?: { readonly until: number };
  readonly preCheckIn?: {
    readonly id: string;
    readonly consents: readonly { readonly code: string; readonly given: boolean }[];
    readonly lastsMs: number;
  };
};
/** A visit: verification, consents, choices, signed by card and device. Sent until the receipt is in. */
export type Request = {
  readonly facility: string;
  readonly device: string;
  readonly kind: 'eligibility' | 'registration' | 'test';
  readonly requestId: string;
  readonly lane: number;
  readonly session: string;
  readonly agent: string;
  readonly challenge: string;
  readonly verificationMethod: 'face' | 'pin' | 'staff';
  readonly verificationOutcome: 'verified';
  readonly authCertificate?: string;
  readonly staffApproval?: string;
  readonly certificateState?: 'valid' | 'near-expiry' | 'grace';
  readonly consents: readonly {
    readonly code: string;
    readonly given: boolean;
    readonly at: number;
    readonly catalogueVersion: string;
    readonly textHash: string;
    readonly language: string;
  }[];
  readonly limitApplicationBasis?: 'notice-2024-10-07';
  readonly medicalSubsidyUse?: boolean;
  readonly prescriptionForm?: 'electronic' | 'paper';
  readonly approvedDocuments?: readonly string[];
  readonly preCheckIn?: string;
  readonly catalogueVersion: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
};
/** The agent has the request in its journal, or refuses it. The same request gets the same receipt. */
export type Receipt = {
  readonly facility: string;
  readonly device: string;
  readonly requestId: string;
  readonly documentHash: string;
  readonly receivedAt: number;
  readonly agent: string;
  readonly verdict: 'accepted' | 'refused';
  readonly code?: string;
};
/** What the national service answered; no name, no number. */
export type Result =
  | {
      readonly facility: string;
      readonly device: string;
      readonly requestId: string;
      readonly outcome: 'eligible' | 'not-eligible' | 'registered' | 'failed' | 'tested';
      readonly qualificationValidity?: number;
      readonly messageCode?: string;
    }
  | {
      readonly facility: string;
      readonly device: string;
      readonly requestId: string;
      readonly outcome: 'eligible' | 'not-eligible' | 'registered' | 'failed' | 'tested';
      readonly qualificationValidity?: number;
      readonly code?: string;
    };
/** Staff ask for something: once, until it expires. */
export type Command = {
  readonly facility: string;
  readonly device: string;
  readonly commandId: string;
  readonly nonce: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly command:
    | { readonly name: 'approve-staff-check'; readonly session: string; readonly approval: string }
    | { readonly name: 'cancel-session'; readonly session: string }
    | { readonly name: 'restart'; readonly part: 'daemon' | 'reader' | 'face' | 'screen' }
    | { readonly name: 'answer-help' }
    | { readonly name: 'test-visit'; readonly session: string; readonly approval: string }
    | { readonly name: 'self-test'; readonly session: string; readonly approval: string; readonly byHand: boolean }
    | { readonly name: 'reboot' }
    | { readonly name: 'log-level'; readonly level: 'debug' | 'info' | 'warn' | 'error' }
    | { readonly name: 'support-bundle' };
};
/** Whether the terminal did it. */
export type CommandResult = {
  readonly facility: string;
  readonly device: string;
  readonly commandId: string;
  readonly outcome: 'done' | 'refused';
  readonly code?: string;
  readonly selfTest?: {
    readonly byHand: boolean;
    readonly tookMs: number;
    readonly parts: readonly {
      readonly part: 'speaker' | 'keypad' | 'light' | 'camera' | 'reader' | 'line' | 'certificates' | 'clock' | 'disk';
      readonly outcome: 'good' | 'failed' | 'present' | 'absent' | 'skipped';
      readonly code?: string;
      readonly missing?: readonly (
        | '0'
        | '1'
        | '2'
        | '3'
        | '4'
        | '5'
        | '6'
        | '7'
        | '8'
        | '9'
        | 'clear'
        | 'enter'
        | 'previous'
        | 'next'
        | 'choose'
        | 'repeat'
      )[];
    }[];
  };
  readonly bundle?: string;
};
/** The facility's settings and keys. Versions only rise. */
export type Settings =
  | {
      readonly facility: string;
      readonly device: string;
      readonly version: number;
      readonly validFrom: number;
      readonly facilitySettings: {
        readonly facilityName: string;
        readonly medicalInstitutionCode: string;
        readonly area: string;
        readonly institutionType: 'medical' | 'dental' | 'pharmacy';
        readonly askTKK: boolean;
        readonly askYZK: boolean;
        readonly askSRJ: boolean;
        readonly askSHJ: boolean;
        readonly askTSR: boolean;
        readonly medicalSubsidy: boolean;
        readonly prescriptionUse: number;
        readonly prescriptionTiming: number;
        readonly referralDocuments: boolean;
        readonly smartphone: boolean;
        readonly languages: readonly string[];
        readonly padStrength: 'off' | 'passive' | 'active';
        readonly theme: 'default' | 'high-contrast' | 'dark';
        readonly textPercent: 100 | 150 | 200;
        readonly layout: 'standard' | 'low';
        readonly offerUnreviewedLanguages: boolean;
        readonly timeouts: {
          readonly answerMs: number;
          readonly cardReturnMs: number;
          readonly faceMs: number;
          readonly offlineMs: number;
        };
      };
      readonly facilityKeys: {
        readonly current: {
          readonly kty: 'EC';
          readonly crv: 'P-256';
          readonly x: string;
          readonly y: string;
          readonly kid: string;
        };
        readonly next?: {
          readonly kty: 'EC';
          readonly crv: 'P-256';
          readonly x: string;
          readonly y: string;
          readonly kid: string;
        };
      };
    }
  | {
      readonly facility: string;
      readonly device: string;
      readonly version: number;
      readonly validFrom: number;
      readonly facilitySettings: {
        readonly facilityName: string;
        readonly medicalInstitutionCode: string;
        readonly area: string;
        readonly institutionType: 'medical' | 'dental' | 'pharmacy' | 'visiting-nurse';
        readonly asks: Readonly<Record<string, boolean>>;
        readonly medicalSubsidy: boolean;
        readonly prescriptionUse: number;
        readonly prescriptionTiming: number;
        readonly referralDocuments: boolean;
        readonly homeConsent: boolean;
        readonly qualificationApp: boolean;
        readonly smartphone: boolean;
        readonly preCheckIn: boolean;
        readonly languages: readonly string[];
        readonly padStrength: 'off' | 'passive' | 'active';
        readonly theme: 'default' | 'high-contrast' | 'dark';
        readonly textPercent: 100 | 150 | 200;
        readonly layout: 'standard' | 'low';
        readonly faceAtOnce: boolean;
        readonly voice: 'off' | 'headings';
        readonly volume?: number;
        readonly technicianPhone?: string;
        readonly idleVoice: 'off' | 'when-near';
        readonly cameraPlace: 'above' | 'below' | 'left' | 'right';
        readonly offerUnreviewedLanguages: boolean;
        readonly release?: { readonly version: string; readonly lane: number | null };
        readonly timeouts: {
          readonly answerMs: number;
          readonly cardReturnMs: number;
          readonly faceMs: number;
          readonly offlineMs: number;
        };
      };
      readonly facilityKeys: {
        readonly current: {
          readonly kty: 'EC';
          readonly crv: 'P-256';
          readonly x: string;
          readonly y: string;
          readonly kid: string;
        };
        readonly next?: {
          readonly kty: 'EC';
          readonly crv: 'P-256';
          readonly x: string;
          readonly y: string;
          readonly kid: string;
        };
      };
    };

export type Messages = {
  readonly state: State;
  readonly challengeRequest: ChallengeRequest;
  readonly challenge: Challenge;
  readonly lookup: Lookup;
  readonly lookupResult: LookupResult;
  readonly request: Request;
  readonly receipt: Receipt;
  readonly result: Result;
  readonly command: Command;
  readonly commandResult: CommandResult;
  readonly settings: Settings;
};

/** `action` as the terminal sees it; `envelope`: how the document says that each is signed and sealed */
export const channels = {
  state: { address: 'uketsuke/v1/{facility}/{device}/state', action: 'send', retain: true, envelope: 'plain' },
  challengeRequest: {
    address: 'uketsuke/v1/{facility}/{device}/challenge-request',
    action: 'send',
    retain: false,
    envelope: 'signed',
  },
  challenge: {
    address: 'uketsuke/v1/{facility}/{device}/challenge',
    action: 'receive',
    retain: false,
    envelope: 'signed',
  },
  lookup: { address: 'uketsuke/v1/{facility}/{device}/lookup', action: 'send', retain: false, envelope: 'sealed' },
  lookupResult: {
    address: 'uketsuke/v1/{facility}/{device}/lookup-result',
    action: 'receive',
    retain: false,
    envelope: 'sealed',
  },
  request: {
    address: 'uketsuke/v1/{facility}/{device}/request',
    action: 'send',
    retain: false,
    envelope: 'sealed-document',
  },
  receipt: { address: 'uketsuke/v1/{facility}/{device}/receipt', action: 'receive', retain: false, envelope: 'signed' },
  result: { address: 'uketsuke/v1/{facility}/{device}/result', action: 'receive', retain: false, envelope: 'sealed' },
  command: { address: 'uketsuke/v1/{facility}/{device}/command', action: 'receive', retain: false, envelope: 'signed' },
  commandResult: {
    address: 'uketsuke/v1/{facility}/{device}/command-result',
    action: 'send',
    retain: false,
    envelope: 'signed',
  },
  settings: {
    address: 'uketsuke/v1/{facility}/{device}/settings',
    action: 'receive',
    retain: true,
    envelope: 'signed',
  },
} as const;

export type Channel = keyof Messages;
/** What the terminal sends; an agent receives it. */
export type Sent = { [C in Channel]: (typeof channels)[C]['action'] extends 'send' ? C : never }[Channel];
/** What the terminal receives; an agent sends it. */
export type Received = Exclude<Channel, Sent>;
type Side = { readonly terminal: { sends: Sent; hears: Received }; readonly agent: { sends: Received; hears: Sent } };

/** MQTT as whoever uses this has it: QoS 1; `hear` is called for each message under the topic. */
export type Transport = {
  publish(topic: string, bytes: Uint8Array, options: { readonly retain: boolean }): Promise<void>;
  subscribe(topic: string, hear: (bytes: Uint8Array) => void): Promise<void>;
};
/** Signatures and seals, by the channel's envelope; the bytes between are the payload's JSON, UTF-8. */
export type Envelopes = {
  close(channel: Channel, payload: Uint8Array): Promise<Uint8Array>;
  /** Throws on anything that is not signed and sealed as the channel asks. */
  open(channel: Channel, bytes: Uint8Array): Promise<Uint8Array>;
};
export type Parts = {
  readonly facility: string;
  readonly device: string;
  readonly transport: Transport;
  readonly envelopes: Envelopes;
  /** What is wrong with a payload by the document's schema (any validator of JSON Schema draft 7); null: nothing. */
  check(channel: Channel, payload: unknown): string | null;
};

/** `uketsuke/v1/<facility>/<device>/<leaf>` */
export const topicOf = ({ facility, device }: Pick<Parts, 'facility' | 'device'>, channel: Channel): string =>
  channels[channel].address.replace('{facility}', facility).replace('{device}', device);

/** One end of the clinic's bus. Nothing is sent or heard that the document does not allow. */
export const clientOf = <S extends keyof Side>(_side: S, parts: Parts) => {
  const { transport, envelopes, check } = parts;
  return {
    /** Throws where the payload is not as the document has it, and where signing or publishing fails. */
    send: async <C extends Side[S]['sends']>(channel: C, payload: Messages[C]): Promise<void> => {
      const wrong = check(channel, payload);
      if (wrong !== null) throw new TypeError(`${channel}: ${wrong}`);
      const bytes = await envelopes.close(channel, new TextEncoder().encode(JSON.stringify(payload)));
      await transport.publish(topicOf(parts, channel), bytes, { retain: channels[channel].retain });
    },
    /** `refused`: why a message was not handed on; nothing of it may be believed. */
    on: <C extends Side[S]['hears']>(
      channel: C,
      hear: (payload: Messages[C]) => void,
      refused: (reason: Error) => void,
    ): Promise<void> =>
      transport.subscribe(topicOf(parts, channel), async (bytes) => {
        let payload: unknown;
        try {
          payload = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(await envelopes.open(channel, bytes)));
          const wrong = check(channel, payload);
          if (wrong !== null) throw new TypeError(`${channel}: ${wrong}`);
        } catch (error) {
          return refused(error instanceof Error ? error : new Error(String(error)));
        }
        hear(payload as Messages[C]);
      }),
  };
};
