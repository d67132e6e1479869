import type { Defence } from './defence.ts';

/** What is defended on the terminal. */
export const terminalDefences: readonly Defence[] = [
  {
    row: 1,
    test: ['test/face/memory-after-attempt.test.ts', ''],
    without: [['src/face/attempt/face-worker.ts', '    photo.rgb.fill(0);\n', '']],
  },
  {
    row: 1,
    test: ['test/face/attempt/face-attempt.test.ts', 'reference and frames are overwritten'],
    without: [
      [
        'src/face/attempt/face-attempt.ts',
        'this.#reference?.fill(0);\n    this.#reference = null;',
        'this.#reference = null;',
      ],
    ],
  },
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
    row: 7,
    test: ['test/terminal/delivery/at-rest.test.ts', ''],
    without: [['src/terminal/delivery/sign-request.ts', "await seal('request', document, keys.facility)", 'document']],
  },
  {
    row: 9,
    test: ['test/core/visit/session-properties.test.ts', 'answers never pass'],
    without: [
      [
        'src/core/visit/session-steps.ts',
        '  answers: noAnswers,',
        "  answers: { ...noAnswers, prescriptionForm: 'paper' },",
      ],
    ],
  },
  {
    row: 10,
    test: ['test/flow/pin-leaves-no-trace.test.ts', 'card'],
    without: [
      [
        'src/terminal/visit/session-runner.ts',
        "this.#parts.speaker?.chime('key');",
        "this.#parts.speaker?.chime(key === 0x31 ? 'contact' : 'key');",
      ],
    ],
  },
  {
    row: 11,
    test: ['test/face/attempt/face-attempt.test.ts', 'an attack suspected while'],
    without: [['src/face/attempt/weigh-evidence.ts', "> maxMoire) return 'attack'", "> maxMoire) return 'unsure'"]],
  },
  {
    row: 11,
    test: ['test/face/attempt/liveness-prompts.test.ts', 'holes for the eyes'],
    without: [['src/face/attempt/liveness-prompts.ts', 'narrower > narrowerBy', 'narrower > 9']],
  },
  {
    row: 11,
    test: ['test/face/attempt/liveness-prompts.test.ts', 'a film of somebody who looks into the camera'],
    without: [['src/face/attempt/liveness-prompts.ts', 'isOne ? [first]', "isOne ? ['blink']"]],
  },
  {
    row: 11,
    test: ['test/face/attempt/face-attempt.test.ts', 'between the rims of a sheet'],
    without: [['src/face/attempt/weigh-evidence.ts', 'rim >= doubtfulRim', 'rim > 9']],
  },
  {
    row: 11,
    test: ['test/face/attempt/liveness-prompts.test.ts', 'whose nose stays in the plane'],
    without: [['src/face/attempt/liveness-prompts.ts', 'turned === prompt && isHead', 'turned === prompt']],
  },
  {
    row: 12,
    test: ['test/face/attempt/watch-camera.test.ts', 'frozen'],
    without: [['src/face/attempt/watch-camera.ts', 'const frozenAfterMs = 2_000', 'const frozenAfterMs = 2_000_000']],
  },
  {
    row: 13,
    test: ['test/flow/visits.test.ts', 'another card put back'],
    without: [['src/core/visit/session-card.ts', '  if (!sameCertificate) return false;\n', '']],
  },
  {
    row: 13,
    test: ['test/core/visit/session-machine.test.ts', 'another photo is another visit'],
    without: [['src/core/visit/session-card.ts', 'compared === photoOf(now.visual)', 'true']],
  },
  {
    row: 14,
    test: ['test/core/visit/session-machine.test.ts', 'and stays away: the visit is over'],
    without: [
      [
        'src/core/visit/session-deadlines.ts',
        '{ ...state, resume: false, deadlineMs: at.monotonicMs + delays.notFinishedMs }',
        '{ ...state, deadlineMs: at.monotonicMs + delays.notFinishedMs }',
      ],
    ],
  },
  {
    row: 15,
    test: ['test/core/visit/session-machine.test.ts', 'stays too long'],
    without: [
      [
        'src/core/visit/session-deadlines.ts',
        '  if (surroundings.cardOnBed === null || visit === null || surroundings.cardOnBed.insertion !== visit.insertion)\n    return finish',
        '  if (surroundings !== null)\n    return finish',
      ],
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
      // And what would be there of before is thrown away as the step begins.
      [
        'src/terminal/visit/visit-effects.ts',
        'ClearPinEntry: () => hand.pinEntry.clear(),',
        'ClearPinEntry: () => {},',
      ],
    ],
  },
  {
    row: 17,
    test: ['test/fuzz/malicious-card.test.ts', 'one byte at a time after the head'],
    without: [
      [
        'src/terminal/card/card-access.ts',
        "    if (readsLeft-- === 0) return unreadable('file answered in crumbs');\n",
        '    readsLeft--;\n',
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
    row: 20,
    test: ['test/log/event-log.test.ts', 'no field of the catalogue takes'],
    without: [['src/log/log-events.ts', '/^[A-Z][A-Za-z]{0,30}Error$|^Error$/', '/^.+$/su']],
  },
  {
    row: 21,
    test: ['test/core/update/update-rules.test.ts', ''],
    without: [['src/core/update/judge-bundle.ts', "  if (bundle.signature !== 'trusted') return 'foreign';\n", '']],
  },
  {
    row: 21,
    test: ['test/core/update/update-rules.test.ts', ''],
    without: [
      ['src/core/update/judge-bundle.ts', 'if (aboveFloor <= 0 || aboveRunning <= 0)', 'if (aboveRunning <= 0)'],
    ],
  },
  {
    row: 22,
    test: ['test/house/systemd.test.ts', ''],
    without: [['systemd/uketsuke.service', 'LimitCORE=0', 'LimitCORE=infinity']],
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
    row: 29,
    test: ['test/house/systemd.test.ts', 'no network'],
    without: [['systemd/uketsuke-face.service', 'PrivateNetwork=yes', 'PrivateNetwork=no']],
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
    row: 38,
    test: ['test/agent/wrong-clock.test.ts', 'a card is refused by its date only'],
    without: [['src/core/trusted-time.ts', "certainty !== 'doubted'", 'certainty.length > 0']],
  },
  {
    row: 41,
    test: ['test/house/systemd.test.ts', 'a user of its own'],
    without: [['systemd/uketsuke-link.service', 'User=uketsuke-link', 'User=uketsuke']],
  },
  {
    row: 42,
    test: ['test/flow/static-at-slot.test.ts', ''],
    without: [
      [
        'src/core/visit/session-card.ts',
        '    default:\n      return awaitCardReturn(session, at, reason);',
        '    default:\n      return stay(session);',
      ],
    ],
  },
];
