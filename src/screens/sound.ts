type Spoken = { readonly language: string; readonly text: string; readonly src?: string };
export type Sound = { readonly volume: number } & (
  | { readonly say: readonly Spoken[]; readonly after: boolean; readonly id: number }
  | { readonly tones: readonly { readonly hertz: number; readonly ms: number }[] }
  | { readonly silence: true }
);

let player: HTMLAudioElement | null = null;
let turn = 0;
/** Said once the sentence in progress has been heard */
let next: Saying | null = null;
let speaking = false;

const silence = (): void => {
  turn += 1;
  speaking = false;
  next = null;
  player?.pause();
  player = null;
  window.speechSynthesis?.cancel();
};

/** Resolves when it has been said, or at once when this browser will not or cannot. */
const sayOne = ({ language, text, src }: Spoken, volume: number): Promise<void> =>
  new Promise((resolve) => {
    if (src !== undefined) {
      player = new Audio(src);
      player.volume = volume / 100;
      player.onended = () => resolve();
      player.onerror = () => resolve();
      player.play().catch(() => resolve());
      return;
    }
    const code = language.slice(0, 2);
    const voice = window.speechSynthesis?.getVoices().find(({ lang }) => lang.startsWith(code));
    if (voice === undefined) return resolve();
    const words = new SpeechSynthesisUtterance(text);
    Object.assign(words, { voice, lang: voice.lang, rate: 0.9, volume: volume / 100 });
    words.onend = () => resolve();
    words.onerror = () => resolve();
    window.speechSynthesis.speak(words);
  });

type Saying = Extract<Sound, { readonly say: unknown }>;

const say = async (asked: Saying, heard: (id: number) => void): Promise<void> => {
  if (asked.after && speaking) {
    next = asked;
    return;
  }
  silence();
  const mine = turn;
  next = null;
  speaking = true;
  let saying = asked;
  for (let at = 0; at < saying.say.length; at += 1) {
    const utterance = saying.say[at];
    if (utterance !== undefined) await sayOne(utterance, saying.volume);
    if (turn !== mine) return;
    if (next !== null) [saying, at, next] = [next, -1, null];
  }
  speaking = false;
  heard(saying.id);
};

let context: AudioContext | null = null;

const playTones = (tones: readonly { readonly hertz: number; readonly ms: number }[], volume: number): void => {
  context ??= new AudioContext();
  if (context.state !== 'running') {
    void context.resume();
    return;
  }
  let at = context.currentTime;
  for (const { hertz, ms } of tones) {
    const end = at + ms / 1_000;
    if (hertz > 0) {
      const [tone, loudness] = [context.createOscillator(), context.createGain()];
      tone.frequency.value = hertz;
      loudness.gain.setValueAtTime(0, at);
      loudness.gain.linearRampToValueAtTime(volume / 200, at + 0.008);
      loudness.gain.setValueAtTime(volume / 200, end - 0.008);
      loudness.gain.linearRampToValueAtTime(0, end);
      tone.connect(loudness).connect(context.destination);
      tone.start(at);
      tone.stop(end);
    }
    at = end;
  }
};

/** Voice and chimes when the terminal speaks through this page. */
export const sound = (asked: Sound, heard: (id: number) => void): void => {
  if ('say' in asked) void say(asked, heard);
  else if ('tones' in asked) playTones(asked.tones, asked.volume);
  else silence();
};
