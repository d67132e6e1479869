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
    row: 6,
    test: ['test/agent/provisioning/enrolment.test.ts', 'silent connections keep no terminal'],
    without: [
      ['src/agent/provisioning/enrolment.ts', 'handshakeTimeout: 5_000', 'handshakeTimeout: 120_000'],
      ['src/agent/provisioning/enrolment.ts', 'maxConnections = 1_024', 'maxConnections = 32'],
    ],
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
