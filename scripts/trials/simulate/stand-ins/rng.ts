/** A repeatable stream of numbers (sfc32), begun by words: the same words, the same stream, on every machine. */
export class Rng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(words: string) {
    // FNV-1a, once for each of the three parts.
    const part = (start: number): number => {
      let hash = start >>> 0;
      for (let at = 0; at < words.length; at += 1) hash = Math.imul(hash ^ words.charCodeAt(at), 0x01000193) >>> 0;
      return hash;
    };
    this.#a = part(0x811c9dc5);
    this.#b = part(0x9e3779b9);
    this.#c = part(0x85ebca6b);
    for (let turn = 0; turn < 12; turn += 1) this.bits();
  }

  /** 32 bits, unsigned */
  bits(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** 0 … 1, without 1 */
  fraction(): number {
    return this.bits() / 0x1_0000_0000;
  }
  /** A whole number from `from` to `to`, both included */
  between(from: number, to: number): number {
    return from + Math.floor(this.fraction() * (to - from + 1));
  }
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }
  pick<T>(list: readonly T[]): T {
    const picked = list[Math.floor(this.fraction() * list.length)];
    if (picked === undefined && list.length === 0) throw new Error('nothing to pick from');
    return picked as T;
  }
  bytes(length: number): Uint8Array {
    const made = new Uint8Array(length);
    for (let at = 0; at < length; at += 4) {
      const four = this.bits();
      for (let byte = 0; byte < 4 && at + byte < length; byte += 1) made[at + byte] = four >>> (8 * byte);
    }
    return made;
  }
}
