/** What is said: the words on the screen, with their reading where the engine cannot know it. */
export type Utterance = { readonly language: string; readonly text: string; readonly reading?: string };

export interface Speaker {
  /** Stops what is being said and says this. Sound that cannot be made is not a failure of the visit. */
  say(utterances: readonly Utterance[]): void;
  chime(sound: 'contact' | 'accepted' | 'attention' | 'key'): void;
  silence(): void;
  /** 0 … 100 */
  setVolume(percent: number): void;
  close(): Promise<void>;
}
