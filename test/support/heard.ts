import type { Speaker, Utterance } from '../../src/ports/speaker.ts';

/** An ear: what was said last, and everything that was heard. */
export class HeardSpeaker implements Speaker {
  readonly said: (readonly Utterance[])[] = [];
  readonly chimes: string[] = [];
  silenced = 0;

  say(utterances: readonly Utterance[]): void {
    this.said.push(utterances);
  }
  chime(sound: 'contact' | 'accepted' | 'attention' | 'key'): void {
    this.chimes.push(sound);
  }
  silence(): void {
    this.silenced += 1;
  }
  setVolume(): void {}
  async close(): Promise<void> {}

  /** The last thing said, as one text. */
  get last(): string {
    return (this.said.at(-1) ?? []).map(({ text }) => text).join(' ');
  }
  get all(): string {
    return this.said.flatMap((words) => words.map(({ text }) => text)).join('\n');
  }
}
