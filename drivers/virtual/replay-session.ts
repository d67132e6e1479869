import { randomUUID } from 'node:crypto';
import { ok } from '../../src/core/result.ts';
import type { CardSession } from '../../src/ports/card-reader.ts';
import { concatBytes, fromHex } from '../../src/protocol/bytes.ts';
import { createTraceRedactor, diffTraces, isSameCommand, type TraceLine } from '../../src/protocol/card/card-trace.ts';
import { cardCryptography } from '../../src/trust/card-cryptography.ts';
import type { VirtualCard } from './virtual-card.ts';

export type ReplaySession = CardSession & {
  /** Lines (from 1) at which our code did something else than what was recorded, or stopped. */
  divergences(): readonly number[];
};

/**
 * A recorded card under today's code. What the trace kept (status words, odd lengths, shared files) is answered as
 * recorded; what was redacted comes from a virtual card, since nothing personal is in a trace.
 */
export const replayTrace = (trace: readonly TraceLine[], stand: VirtualCard): ReplaySession => {
  const redact = createTraceRedactor(cardCryptography.sha256);
  const sent: TraceLine[] = [];
  stand.reset();
  const answer = (command: Uint8Array): Uint8Array => {
    const recorded = trace[sent.length];
    const fromStand = stand.transmit(command);
    const line = redact({ command: command.slice(), response: fromStand });
    if (line !== null) sent.push(line);
    if (recorded === undefined || line === null || !isSameCommand(recorded, line)) return fromStand;
    const statusWord = fromHex(recorded.statusWord);
    if (typeof recorded.response === 'string') return concatBytes(fromHex(recorded.response), statusWord);
    // As many bytes as were recorded, of the stand-in's; a card that answered in short pieces does so again.
    const body = fromStand.slice(0, -2);
    return concatBytes(body.slice(0, recorded.response.length), statusWord);
  };
  return {
    id: randomUUID(),
    atr: stand.atr,
    transmit: async (command) => ok(answer(command)),
    end: async () => stand.reset(),
    divergences: () =>
      diffTraces(trace, sent)
        .filter(({ what }) => what !== 'answer' && what !== 'status word')
        .map(({ line }) => line),
  };
};
