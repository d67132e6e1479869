import type { Defence } from './defence.ts';

/** What is defended at the clinic's end, between the two, and where both are made. */
export const clinicDefences: readonly Defence[] = [
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
        'return facility === addressee.facility && device === addressee.device',
        'return facility === addressee.facility',
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
    row: 7,
    test: ['test/agent/intake/revocation.test.ts', ''],
    without: [
      ['src/agent/desk/agent-desk.ts', 'if (device === undefined || device.revoked) {', 'if (device === undefined) {'],
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
    row: 9,
    test: ['test/agent/intake/consent-texts.test.ts', 'a text of somebody else'],
    without: [
      [
        'src/agent/intake/consent-texts.ts',
        '[catalogueVersion, language, code, textHash]',
        '[catalogueVersion, language, code]',
      ],
    ],
  },
  {
    row: 23,
    test: ['test/house/supply-chain.test.ts', 'versions are exact'],
    without: [['scripts/setup', 'node node_modules/node-gyp/bin/node-gyp.js rebuild', 'npm rebuild']],
  },
  {
    row: 23,
    test: ['test/scripts/models/npm-source.test.ts', 'tampered with'],
    without: [['scripts/models/npm-source.ts', 'if (found !== sha256)', "if (found === '')"]],
  },
  {
    row: 24,
    test: ['test/contract/screen.test.ts', 'a touch storm'],
    without: [['drivers/kiosk-screen.ts', 'const messagesPerSecond = 60', 'const messagesPerSecond = 60_000']],
  },
  {
    row: 27,
    test: ['test/storage/deleted-rows.test.ts', "the agent's files"],
    without: [['src/storage/sqlite-engine.ts', "sql.get('PRAGMA wal_checkpoint(TRUNCATE)')?.busy === 0", 'true']],
  },
  {
    row: 28,
    test: ['test/agent/agent.test.ts', 'face'],
    without: [
      ['src/agent/oqs-folder/outcome-of.ts', 'birthdate === undefined || sex === undefined', "birthdate !== ''"],
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
    without: [
      ['src/agent/oqs-folder/answer-inquiries.ts', '        else this.#odd.add(request.name);\n', ''],
      ['src/agent/oqs-folder/answer-inquiries.ts', '\n        this.#odd.add(request.name);\n      }', '\n      }'],
    ],
  },
  {
    row: 32,
    test: ['test/agent/intake/verify-evidence.test.ts', 'an approval of another agent'],
    without: [
      [
        'src/agent/intake/verify-evidence.ts',
        'if (!approvers.includes(opened.value.signer))',
        'if (approvers.length === 0)',
      ],
    ],
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
      ['src/agent/oqs-folder/outcome-of.ts', 'birthdate === undefined || sex === undefined', "birthdate !== ''"],
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
    row: 39,
    test: ['test/processes/erase.test.ts', ''],
    without: [
      ['src/trust/erase.ts', '    await overwrite(path, found.size);\n', ''],
      ['src/trust/erase.ts', 'written += await fill(file, written);', 'written += 0;'],
    ],
  },
  {
    row: 40,
    test: ['test/processes/attest.test.ts', 'a byte of a file'],
    without: [['src/cli/attest.ts', 'if (altered.length > 0) return fail(', 'if (altered.length > 99) return fail(']],
  },
  {
    row: 43,
    test: ['test/agent/certificates.test.ts', 'refused: another device'],
    without: [
      ['src/agent/desk/certificate-desk.ts', 'if (entry === undefined || entry.revoked)', 'if (entry === undefined)'],
    ],
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
