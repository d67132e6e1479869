import type { CardSession } from '../../ports/card-reader.ts';
import { unmovedBytes } from '../../protocol/bytes.ts';
import { createTraceRedactor, type TraceLine } from '../../protocol/card/card-trace.ts';
import type { CardCryptography } from '../../protocol/card/digest-info.ts';

/** The same session, with every exchange told to `write`, redacted: what is written may be kept. */
export const recordTrace = (
  session: CardSession,
  sha256: CardCryptography['sha256'],
  write: (line: TraceLine) => void,
): CardSession => {
  const redact = createTraceRedactor(sha256);
  return {
    id: session.id,
    atr: session.atr,
    end: () => session.end(),
    transmit: async (command) => {
      // The sender overwrites its bytes as soon as it has the answer.
      const sent = unmovedBytes(command.length);
      sent.set(command);
      const answer = await session.transmit(command);
      const line = answer.ok ? redact({ command: sent, response: answer.value }) : null;
      sent.fill(0);
      if (line !== null) write(line);
      return answer;
    },
  };
};
