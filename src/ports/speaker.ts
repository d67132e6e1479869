/** What is said: the words on the screen, with their reading where the engine cannot know it. */
export type Utterance = { readonly language: string; readonly text: string; readonly reading?: string };

export type Saying = {
  /** `now`: what is being said is cut; `after-sentence` (default): the sentence in progress is heard to its end */
  readonly when?: 'now' | 'after-sentence';
  /** Once, however it ended: heard, cut, replaced before its turn, or it could not be said. */
  readonly ended?: () => void;
};

export interface Speaker {
  /** Takes the place of what was still to be said. Sound that cannot be made is not a failure of the visit. */
  say(utterances: readonly Utterance[], saying?: Saying): void;
  chime(sound: 'contact' | 'accepted' | 'attention' | 'key'): void;
  /**
   * Plays a note: null = the sound system took it to its end (whether it was heard is another matter), else what it says.
   * Left out: nobody tells. Never rejects.
   */
  tryNote?(): Promise<string | null>;
  silence(): void;
  /** Whether it has a voice for a language of the catalogue */
  speaks(language: string): boolean;
  /** The terminal's own volume, 0 … 100 */
  setVolume(percent: number): void;
  /** Louder (above 0) or softer than that, as the patient wants it; 0 = as the terminal is set. Holds from the next sound on. */
  setLoudness(steps: number): void;
  /**
   * Whether an earphone is in, at once and whenever that changes. With an earphone in, the voice is in the ear alone;
   * chimes, which tell nothing of a person, stay with the loudspeaker. Hardware that cannot tell never calls.
   */
  onEarphone(listener: (inserted: boolean) => void): void;
  close(): Promise<void>;
}
