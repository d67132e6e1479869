/**
 * How each defence of docs/threats.md is taken out, so that its test must turn red. `row`: the row's number; `test`: file
 * and words in the names of its tests; `without`: text of the source and what stands in its place. A row may have more than one.
 */
export type Defence = {
  readonly row: number;
  readonly test: readonly [file: string, names: string];
  readonly without: readonly (readonly [file: string, text: string, instead: string])[];
};

export const defences: readonly Defence[] = [
  {
    row: 2,
    test: ['test/flow/pin-guard.test.ts', 'whatever a patient does'],
    without: [['src/terminal/card/card-access.ts', '.finally(() => bytes.fill(0))', '']],
  },
  {
    row: 3,
    test: ['test/flow/pin-guard.test.ts', 'whatever a patient does'],
    without: [
      ['src/core/visit/session-steps.ts', "pin.triesLeft <= 1 ? 'asking' : 'not-the-last'", "'confirmed'"],
      [
        'src/terminal/card/use-card-keys.ts',
        'counter.value.triesLeft === 1 && !lastTryConfirmed',
        'lastTryConfirmed === null',
      ],
    ],
  },
  {
    row: 4,
    test: ['test/agent/agent.test.ts', 'a challenge serves once'],
    without: [
      ['src/agent/journal/open-challenges.ts', ' AND request_id IS NULL AND expires_at >= ?', ' AND expires_at >= ?'],
    ],
  },
  {
    row: 5,
    test: ['test/terminal/delivery/clinic-link.test.ts', 'signed by a device, for another device'],
    without: [
      [
        'src/trust/seal.ts',
        'if (facility !== addressee.facility || device !== addressee.device)',
        'if (facility !== addressee.facility)',
      ],
    ],
  },
  {
    row: 6,
    test: ['test/contract/bad-servers.test.ts', 'the right certificate over'],
    without: [
      ['drivers/message-bus/mqtt-connection.ts', "minVersion: 'TLSv1.3'", "minVersion: 'TLSv1'"],
      ['drivers/message-bus/mqtt-message-bus.ts', "minVersion: 'TLSv1.3'", "minVersion: 'TLSv1'"],
    ],
  },
  {
    row: 8,
    test: ['test/storage/audit-chain.test.ts', ''],
    without: [
      [
        'src/storage/audit-chain.ts',
        'line.number !== number || line.hash !== hashOf(hash, number, line)',
        'line.number !== number',
      ],
    ],
  },
  {
    row: 12,
    test: ['test/face/attempt/watch-camera.test.ts', 'frozen'],
    without: [['src/face/attempt/watch-camera.ts', 'const frozenAfterMs = 2_000', 'const frozenAfterMs = 2_000_000']],
  },
  {
    row: 16,
    test: ['test/flow/hardware-goes-and-comes.test.ts', ''],
    without: [
      [
        'src/terminal/visit/pin-entry.ts',
        "if (state.name !== 'enteringPin' || state.checking || state.lastTry === 'asking') return null;",
        "if (!('visit' in state)) return null;",
      ],
    ],
  },
  {
    row: 18,
    test: ['test/terminal/delivery/clinic-link.test.ts', 'more than thirty in a minute'],
    without: [
      ['src/terminal/delivery/admit-command.ts', 'const commandsPerMinute = 30', 'const commandsPerMinute = 3_000'],
    ],
  },
  {
    row: 18,
    test: ['test/terminal/delivery/clinic-link.test.ts', 'are carried out once'],
    without: [
      ['src/terminal/delivery/admit-command.ts', "return first.value || refuse('message.stale')", 'return true'],
    ],
  },
  {
    row: 19,
    test: ['test/core/trusted-time.test.ts', 'a board that wakes in 1970'],
    without: [
      ['src/core/trusted-time.ts', 'machine.wallMs >= floorMs && ', ''],
      ['src/core/trusted-time.ts', 'began.wallMs >= floorMs && ', ''],
    ],
  },
  {
    row: 22,
    test: ['test/house/systemd.test.ts', ''],
    without: [['systemd/uketsuke.service', 'LimitCORE=0', 'LimitCORE=infinity']],
  },
  {
    row: 24,
    test: ['test/contract/screen.test.ts', 'a touch storm'],
    without: [['drivers/kiosk-screen.ts', 'const messagesPerSecond = 60', 'const messagesPerSecond = 60_000']],
  },
  {
    row: 25,
    test: ['test/core/visit/session-properties.test.ts', 'another visit'],
    without: [
      ['src/core/visit/session-touch.ts', 'if (touch.session !== (visit?.session ?? null)) return stay(session);', ''],
    ],
  },
  {
    row: 26,
    test: ['test/contract/screen.test.ts', 'DNS rebinding'],
    without: [
      ['src/web/local-server.ts', 'if (host === undefined || !this.#names.includes(host))', 'if (host === undefined)'],
    ],
  },
  {
    row: 26,
    test: ['test/contract/screen.test.ts', 'DNS rebinding'],
    without: [
      ['src/web/local-server.ts', 'if (origin !== undefined && !this.origins.includes(origin))', "if (origin === '')"],
    ],
  },
  {
    row: 27,
    test: ['test/storage/deleted-rows.test.ts', "the agent's files"],
    without: [['src/agent/journal/journal-file.ts', 'PRAGMA wal_checkpoint(TRUNCATE)', 'PRAGMA user_version']],
  },
  {
    row: 28,
    test: ['test/agent/agent.test.ts', 'face'],
    without: [
      ['src/agent/oqs-folder/hand-over.ts', 'birthdate === undefined || sex === undefined', "birthdate !== ''"],
    ],
  },
  {
    row: 30,
    test: ['test/contract/local-server.test.ts', 'is reached through a hundred'],
    without: [
      [
        'src/web/local-server.ts',
        'const others = this.#idle.size > 1 ? this.#idle : this.#busy;',
        'const others = this.#idle;',
      ],
    ],
  },
  {
    row: 31,
    test: ['test/agent/oqs-folder/shared-folder.test.ts', 'a folder that others write to'],
    without: [
      ['src/agent/oqs-folder/shared-folder.ts', '!seen.isFile() || seen.nlink > 1n', '!seen.isFile()'],
      ['src/agent/oqs-folder/shared-folder.ts', '!opened.isFile() || opened.nlink > 1n || ', '!opened.isFile() || '],
    ],
  },
  {
    row: 31,
    test: ['test/agent/oqs-folder/answer-inquiries.test.ts', 'two thousand links'],
    without: [['src/agent/oqs-folder/answer-inquiries.ts', 'this.#odd.add(request.name);', '']],
  },
  {
    row: 32,
    test: ['test/agent/intake/verify-evidence.test.ts', 'an approval of another agent'],
    without: [['src/agent/intake/verify-evidence.ts', 'if (opened.value.signer !== agent)', 'if (agent === null)']],
  },
  {
    row: 32,
    test: ['test/agent/intake/approval-once.test.ts', 'one approval of staff'],
    without: [['src/agent/journal/approval-use.ts', "if (before !== undefined) return 'message.stale';", '']],
  },
  {
    row: 33,
    test: ['test/agent/intake/approval-once.test.ts', 'the face of one'],
    without: [
      ['src/agent/oqs-folder/hand-over.ts', 'birthdate === undefined || sex === undefined', "birthdate !== ''"],
    ],
  },
  {
    row: 34,
    test: ['test/agent/staff-page/staff-codes.test.ts', 'guessing'],
    without: [['src/agent/staff-page/staff-codes.ts', "if (until > nowMs) return { is: 'locked', until };", '']],
  },
  {
    row: 34,
    test: ['test/agent/staff-page/staff-codes.test.ts', 'journal.sqlite taken away'],
    without: [['src/agent/staff-page/staff-codes.ts', 'await this.#beside?.set(key, counted);', '']],
  },
  {
    row: 35,
    test: ['test/agent/intake/approval-once.test.ts', 'a consent given'],
    without: [['src/agent/intake/receive-request.ts', "return 'consent.time-implausible';", 'return undefined;']],
  },
  {
    row: 36,
    test: ['test/contract/connection-limits.test.ts', 'serves a terminal through 1,100'],
    without: [
      ['drivers/message-bus/connection-limits.ts', 'const unprovenOfAddress = 8', 'const unprovenOfAddress = 8_000'],
      ['drivers/message-bus/connection-limits.ts', 'const unprovenAtAll = 128', 'const unprovenAtAll = 128_000'],
    ],
  },
  {
    row: 36,
    test: ['test/agent/provisioning/enrolment.test.ts', 'silent connections keep no terminal'],
    without: [
      ['src/agent/provisioning/enrolment.ts', 'handshakeTimeout: 5_000', 'handshakeTimeout: 120_000'],
      ['src/agent/provisioning/enrolment.ts', 'maxConnections = 1_024', 'maxConnections = 32'],
    ],
  },
  {
    row: 37,
    test: ['test/agent/provisioning/authority-key.test.ts', ''],
    without: [
      [
        'src/agent/provisioning/authority-key.ts',
        'if (passphrase === undefined) return',
        'if (pem !== passphrase) return',
      ],
    ],
  },
  {
    row: 38,
    test: ['test/agent/wrong-clock.test.ts', 'a card is refused by its date only'],
    without: [['src/core/trusted-time.ts', "certainty !== 'doubted'", 'certainty.length > 0']],
  },
  {
    row: 40,
    test: ['test/processes/attest.test.ts', 'a byte of a file'],
    without: [['src/cli/attest.ts', 'if (altered.length > 0) return fail(', 'if (altered.length > 99) return fail(']],
  },
  {
    row: 44,
    test: ['test/cli/clinic-windows.test.ts', 'nobody but agent and administrators'],
    without: [['src/cli/clinic-windows.ts', 'await grantOnly(facility, [', 'void ([']],
  },
  {
    row: 44,
    test: ['test/cli/clinic-windows.test.ts', 'a link that somebody laid there'],
    without: [['src/cli/clinic-windows.ts', 'if (link !== undefined)', 'if (link === null)']],
  },
  {
    row: 45,
    test: ['test/agent/provisioning/enrolment.test.ts', 'a terminal that lost its power at the last step'],
    without: [['src/agent/provisioning/enrolment.ts', '!isSame && nowMs > offer.until', 'nowMs > offer.until']],
  },
  {
    row: 45,
    test: ['test/cli/await-enrolment.test.ts', 'an old QR code'],
    without: [
      [
        'src/cli/await-enrolment.ts',
        'isRefused ? Number.POSITIVE_INFINITY : nowMs() + againAfterMs',
        'isRefused ? 0 : 1',
      ],
    ],
  },
];
