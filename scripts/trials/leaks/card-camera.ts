import { execFileSync } from 'node:child_process';
import { chmodSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import sharp from 'sharp';
import { frameHeight, frameWidth } from '../../../drivers/camera/piped-camera.ts';
import { renderCardFront } from '../../../drivers/virtual/card-front-renderer.ts';
import type { MadeCard } from '../../../drivers/virtual/card-maker.ts';

const scene = { angle: 1, shiftX: 0, shiftY: 0, pixelsPerMm: 13.5, brightness: 0.95, noise: 3, seed: 5 } as const;
const frameMs = 33;

const eras = { '19': '昭和', '20': '令和' } as const;

/** 640×480 RGB, as the second camera sees the card on the bed */
const pictureOf = async ({ persona, printedNumberB }: MadeCard): Promise<Uint8Array> => {
  const number = printedNumberB ?? '';
  const { name, birthDate } = persona.person;
  const frame = await renderCardFront(
    {
      name,
      birth: {
        era: eras[birthDate.slice(0, 2) as keyof typeof eras],
        year: Number(number.slice(0, 2)),
        month: Number(number.slice(2, 4)),
        day: Number(number.slice(4, 6)),
      },
      expiry: { year: Number(number.slice(6, 10)), month: 3, day: 31 },
      securityCode: number.slice(10),
    },
    scene,
  );
  const { width, height, rgb } = frame();
  return sharp(Buffer.from(rgb), { raw: { width, height, channels: 3 } })
    .resize(frameWidth, frameHeight)
    .raw()
    .toBuffer();
};

/**
 * The camera above the card bed, as far as the terminal knows: a program called `ffmpeg` that writes pictures. What it
 * shows is drawn in the process of whoever lays the card there: nothing of it stands in the terminal but what it read.
 */
export class CardCamera {
  readonly #pipe: string;
  readonly #bin: string;
  readonly #dark: Uint8Array = new Uint8Array(frameWidth * frameHeight * 3).fill(60);
  #shown: Uint8Array = this.#dark;
  #file: FileHandle | null = null;
  #closed = false;
  #run: Promise<void> = Promise.resolve();

  constructor(directory: string) {
    this.#pipe = join(directory, 'card-camera.fifo');
    this.#bin = join(directory, 'card-camera-bin');
  }

  /** What the terminal's PATH begins with */
  get binFolder(): string {
    return this.#bin;
  }

  async start(): Promise<void> {
    mkdirSync(this.#bin);
    execFileSync('mkfifo', [this.#pipe]);
    const program = join(this.#bin, 'ffmpeg');
    writeFileSync(program, `#!/bin/sh\nexec cat '${this.#pipe}'\n`);
    chmodSync(program, 0o755);
    this.#run = this.#write();
  }

  /** null: the bed is empty */
  async show(made: MadeCard | null): Promise<void> {
    this.#shown = made === null ? this.#dark : await pictureOf(made);
  }

  /** A picture is written whole, or its reader is gone: then the next reader begins with a whole one. */
  async #write(): Promise<void> {
    while (!this.#closed) {
      try {
        this.#file ??= await open(this.#pipe, constants.O_WRONLY | constants.O_NONBLOCK);
        await this.#writeWhole(this.#file, this.#shown);
      } catch {
        await this.#file?.close().catch(() => {});
        this.#file = null;
      }
      await delay(frameMs);
    }
    await this.#file?.close().catch(() => {});
  }

  async #writeWhole(file: FileHandle, picture: Uint8Array): Promise<void> {
    for (let at = 0; at < picture.length && !this.#closed; ) {
      try {
        at += (await file.write(picture, at, picture.length - at)).bytesWritten;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        await delay(1);
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#run;
  }
}
