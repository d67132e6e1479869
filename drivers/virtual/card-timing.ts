/** How long a card and its wire take. All zero: as fast as the machine. */
export type CardTiming = {
  /** Contactless bit rate; 0 = no time on the wire. */
  readonly kbps: 0 | 106 | 212 | 424 | 848;
  /** Extra time of one RSA-2048 signature on the chip. */
  readonly signatureMs: number;
  /** Time the chip takes for any command. */
  readonly commandMs: number;
};

export const instantTiming: CardTiming = { kbps: 0, signatureMs: 0, commandMs: 0 };

/** Time between the last bit of the command and the last bit of the answer, in ms. Frame overhead is left out. */
export const answerTimeMs = (timing: CardTiming, command: Uint8Array, answer: Uint8Array): number => {
  const wireMs = timing.kbps === 0 ? 0 : ((command.length + answer.length) * 8) / timing.kbps;
  const isSignature = command[1] === 0x2a;
  return wireMs + timing.commandMs + (isSignature ? timing.signatureMs : 0);
};
