import type { Change } from './hooks.ts';

/** A fault put into the safety code by hand, one at a time: does the simulator find it, and within how many visits? */
type Planted = { readonly name: string; readonly changes: readonly Change[] };

const outbox = 'src/terminal/delivery/outbox.ts';
const handOver = 'src/agent/oqs-folder/hand-over.ts';
const sharedFolder = 'src/agent/oqs-folder/shared-folder.ts';

export const planted: readonly Planted[] = [
  {
    name: 'receipt before the commit',
    changes: [
      [
        'src/agent/intake/receive-request.ts',
        "  const recorded = await journal.together('now', () => journal.record(row));",
        `  if (code === undefined) {
    const early = { requestId: request.requestId, documentHash, receivedAt: now, agent: keys().agent, verdict: 'accepted' };
    await parts.post.signed(device, 'receipt', early, request.requestId);
  }
  const recorded = await journal.together('now', () => journal.record(row));`,
      ],
    ],
  },
  {
    name: 'request kept by the agent with a commit that is not synced',
    changes: [
      [
        'src/agent/intake/receive-request.ts',
        "journal.together('now', () => journal.record(row))",
        "journal.together('soon', () => journal.record(row))",
      ],
    ],
  },
  {
    name: 'outbox row deleted on PUBACK',
    changes: [
      [
        outbox,
        "    if (sent.ok) this.#options.log.event('outbox.published',",
        `    if (sent.ok) {
      this.#entries.delete(entry.row.requestId);
      void this.#remove({ atMs: 0, event: 'receipt-accepted', subject: entry.row.requestId });
    }
    if (sent.ok) this.#options.log.event('outbox.published',`,
      ],
    ],
  },
  {
    name: 'request sent before its row is on the disk',
    changes: [
      [
        outbox,
        'const stored = await this.#options.store.addOutboxRow(row);',
        'void this.#options.store.addOutboxRow(row);\n    const stored = ok(undefined);',
      ],
    ],
  },
  {
    name: 'rows of an earlier run forgotten',
    changes: [[outbox, 'for (const row of rows.value) {', 'for (const row of rows.value.slice(0, 0)) {']],
  },
  {
    name: 'receipt taken for whatever waits',
    changes: [
      [outbox, 'const entry = this.#entries.get(receipt.requestId);', 'const [entry] = this.#entries.values();'],
      [outbox, 'if (receipt.documentHash !== entry.row.documentHash)', 'if (receipt.documentHash === "")'],
    ],
  },
  {
    name: 'expiry not told',
    changes: [
      [outbox, "    this.#options.tell({ type: 'request-expired', requestId, session });\n  }", '  }'],
      [outbox, "      this.#options.tell({ type: 'request-expired', requestId, session });\n    }", '    }'],
    ],
  },
  {
    name: 'staff not told of a patient sent away',
    changes: [
      [
        'src/core/visit/session-earlier.ts',
        'effects: [...leftBehind(requestId), ...desk.effects]',
        'effects: desk.effects',
      ],
    ],
  },
  {
    name: 'staff not told of a request that a hung disk took too late',
    changes: [
      [
        'src/core/visit/session-signing.ts',
        '  effects: leftBehind(requestId),',
        '  effects: requestId ? [] : leftBehind(requestId),',
      ],
    ],
  },
  {
    name: 'row of a patient who left forgotten with the receipt',
    changes: [['src/terminal/delivery/clinic-link.ts', '      outbox.leave(requestId);\n', '']],
  },
  {
    name: 'consent sent that was declined',
    changes: [
      ['src/core/catalogue/consent.ts', '      given: answer.given,\n      at:', '      given: true,\n      at:'],
    ],
  },
  {
    name: 'consents sent that nobody was asked for',
    changes: [
      [
        'src/core/visit/request.ts',
        'consents: asks ? parts.consents : [],',
        "consents: asks ? parts.consents.concat(parts.consents.slice(0, 1).map((one) => ({ ...one, code: 'SHJ' }))).filter(({ code }, at, all) => all.findIndex((one) => one.code === code) === at) : [],",
      ],
    ],
  },
  {
    name: 'second VERIFY of a wrong PIN',
    changes: [
      [
        'src/terminal/card/use-card-keys.ts',
        'return exchange(session, digits.toCommand());',
        "const first = await exchange(session, digits.toCommand());\n  return first.ok && first.value.type === 'wrong' ? exchange(session, digits.toCommand()) : first;",
      ],
    ],
  },
  {
    name: 'last try spent without a yes',
    changes: [
      ['src/core/visit/session-steps.ts', "pin.triesLeft <= 1 ? 'asking' : 'not-the-last'", "'confirmed'"],
      [
        'src/terminal/card/use-card-keys.ts',
        'counter.value.triesLeft === 1 && !lastTryConfirmed',
        'counter.value.triesLeft === 9',
      ],
    ],
  },
  {
    name: 'two visits share a photo',
    changes: [
      [
        'src/terminal/visit/visit-effects.ts',
        'const referenceJp2 = card.readVisual().then(() => card.photoJp2);',
        'const kept = globalThis as { photo?: Uint8Array };\n    const referenceJp2 = card.readVisual().then(() => (kept.photo ??= card.photoJp2?.slice()) ?? null);',
      ],
    ],
  },
  {
    name: 'another card goes on with the visit',
    changes: [
      [
        'src/core/visit/session-card.ts',
        'if (!sameCertificate) return false;\n  const usedFace',
        'if (then.authCertificate.length === 0) return sameCertificate;\n  const usedFace',
      ],
      ['src/core/visit/session-card.ts', 'compared === photoOf(now.visual)', 'photoOf(now.visual) !== null'],
    ],
  },
  {
    name: 'another card is shown the result of an earlier visit',
    changes: [
      [
        'src/terminal/visit/earlier-visits.ts',
        'visitMark(found.session, authCertificate) === found.mark',
        'visitMark(found.session, authCertificate) !== ""',
      ],
    ],
  },
  {
    name: 'answer counted again after a restart',
    changes: [
      [
        'src/agent/journal/journal.ts',
        'if (before === undefined || (before.outcome !== null && !failedBefore))',
        'if (before === undefined)',
      ],
    ],
  },
  {
    name: 'what a crash left undone is left, and nobody asks for it',
    changes: [
      ['src/terminal/delivery/result-watch.ts', '        ask(entry.awaited);\n', ''],
      [
        handOver,
        'for (const { visit, personal } of journal.unfinished()) {',
        'for (const { visit, personal } of journal.unfinished().slice(0, 0)) {',
      ],
    ],
  },
  {
    name: 'file named before it is synced',
    changes: [
      [
        sharedFolder,
        '        await file.writeFile(bytes);\n        await file.sync();',
        '        await file.writeFile(bytes);',
      ],
    ],
  },
  {
    name: 'folder not synced before the journal says handed over',
    changes: [[sharedFolder, '      await opened.sync();\n', '']],
  },
  {
    name: 'file of half its bytes on a full disk',
    changes: [
      [sharedFolder, '        await file.writeFile(bytes);', '        await file.writeFile(bytes).catch(() => {});'],
    ],
  },
  {
    name: 'answer whose file is never written',
    changes: [
      [
        handOver,
        'else await this.#writeFile(visit, personal, answer.value, lease);',
        "else if (requestId < 'f') await this.#writeFile(visit, personal, answer.value, lease);",
      ],
    ],
  },
];
