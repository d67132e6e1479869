import { createPrivateKey, privateEncrypt } from 'node:crypto';
import type { MadeCard } from '../../../drivers/virtual/card-maker.ts';
import { type CardApplication, type CardFile, createVirtualCard } from '../../../drivers/virtual/virtual-card.ts';
import { type BakedCard, type BakedFile, baked } from './node/baked.ts';

const bytes = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));

const signerOf = (name: string): ((digestInfo: Uint8Array) => Uint8Array) => {
  const jwk = baked.keys[name];
  if (jwk === undefined) throw new Error(`no key ${name}`);
  const key = createPrivateKey({ key: jwk as never, format: 'jwk' });
  return (digestInfo) => new Uint8Array(privateEncrypt(key, digestInfo));
};

const fileOf = (file: BakedFile): CardFile => {
  if (file.kind === 'secret') return { ...file, secret: bytes(file.secret) };
  if (file.kind === 'key') return { kind: 'key', openedBy: file.openedBy, sign: signerOf(file.key) };
  const content = new Uint8Array(file.size).fill(0xff);
  content.set(bytes(file.content));
  return { kind: 'transparent', content, openedBy: file.openedBy };
};

/** The same card that `makeCard` made at the build: the virtual card's own operating system over the files that were written down. */
const cardOf = (card: BakedCard): MadeCard => {
  const applications = card.applications.map(
    ({ aid, presenceKey, files }): CardApplication => ({
      aid: bytes(aid),
      ...(presenceKey !== null && { presenceKey: signerOf(presenceKey) }),
      files: new Map(files.map(([fid, file]) => [fid, fileOf(file)])),
    }),
  );
  const copied = (file: CardFile): CardFile => (file.kind === 'secret' ? { ...file } : file);
  const asMade = () =>
    createVirtualCard(
      card.persona.id,
      bytes(card.atr),
      applications.map((one) => ({ ...one, files: new Map([...one.files].map(([fid, file]) => [fid, copied(file)])) })),
    );
  const { persona, printedNumberB, photoJp2 } = card;
  return { persona, card: asMade(), asMade, applications, printedNumberB, photoJp2: bytes(photoJp2) };
};

export const cards: ReadonlyMap<string, MadeCard> = new Map(baked.cards.map((card) => [card.persona.id, cardOf(card)]));
