import type { LogLine } from './child.ts';

export type StageTimes = {
  total: number | null;
  card: number | null;
  face: number | null;
  sign: number | null;
  deliver: number | null;
};

/** What the terminal's event log told during one visit: the timeline a person reads, and how long each stage took. */
export class Timeline {
  /** Of the terminal */
  readonly #lines: LogLine[] = [];
  readonly #log: string[] = [];
  readonly #beganAtMs = Date.now();

  add(source: 'terminal' | 'link' | 'agent', line: LogLine): void {
    if (source === 'terminal') this.#lines.push(line);
    this.#log.push(`${source} ${JSON.stringify(line)}`);
  }

  /** ms; the longest of a stage that came more than once; null = it did not happen. `total` ends with the closing screen. */
  times(): StageTimes {
    const longest = (stage: string): number | null =>
      this.#lines
        .filter((line) => line.event === 'session.stage' && line.stage === stage)
        .reduce<number | null>((most, line) => Math.max(most ?? 0, Number(line.ms)), null);
    const transitions = this.#lines.filter((line) => line.event === 'session.transition');
    const began = transitions.find((line) => line.to === 'readingCard');
    const ended = transitions.findLast((line) => line.to === 'showingResult' || line.to === 'interrupted');
    const total = began && ended ? Date.parse(ended.time) - Date.parse(began.time) : null;
    return { total, card: longest('card'), face: longest('face'), sign: longest('sign'), deliver: longest('deliver') };
  }

  /** How often the card refused a PIN */
  get refusedPins(): number {
    return this.#lines.filter((line) => line.event === 'pin.refused').length;
  }

  /** Every state the visit went through, in order */
  get states(): readonly string[] {
    return this.#lines.filter((line) => line.event === 'session.transition').map((line) => String(line.to));
  }

  /** All that the processes logged: of a visit that went wrong, why. */
  printLog(write: (text: string) => void): void {
    for (const line of this.#log) write(`  ${line}\n`);
  }

  /** Seconds since the card was laid down, the state that was reached, and why. */
  print(write: (text: string) => void): void {
    for (const line of this.#lines) {
      if (line.event !== 'session.transition') continue;
      const seconds = ((Date.parse(line.time) - this.#beganAtMs) / 1_000).toFixed(2).padStart(7);
      const why = line.code === undefined ? String(line.cause) : `${line.cause} (${line.code})`;
      write(`  ${seconds} s  ${String(line.to).padEnd(20)} ${why}\n`);
    }
  }
}
