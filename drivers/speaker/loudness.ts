/** One step of the patient's volume. dB: clearly heard, yet two of them double nothing that hurts */
const stepDecibels = 4;

/** Share of full scale for the terminal's volume and the patient's steps. 0 … 100 % */
export const loudnessPercent = (volume: number, steps: number): number =>
  Math.min(100, Math.max(0, volume) * 10 ** ((steps * stepDecibels) / 20));
