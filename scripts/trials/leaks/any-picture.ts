import type { Canary } from '../../beds/canary-search.ts';

/** How a picture begins: a smaller or newly packed one of a face is known by that alone. None belongs into a log, file or message. */
export const anyPicture: readonly Canary[] = [
  { what: 'a picture (JPEG)', bytes: Buffer.from('ffd8ffe000104a464946', 'hex') },
  { what: 'a picture (JPEG)', bytes: Buffer.from('ffd8ffdb004300', 'hex') },
  { what: 'a picture (Exif)', bytes: Buffer.from('Exif\0\0II*\0', 'latin1') },
  { what: 'a picture (Exif)', bytes: Buffer.from('Exif\0\0MM\0*', 'latin1') },
  { what: 'a picture (PNG)', bytes: Buffer.from('89504e470d0a1a0a', 'hex') },
  { what: 'a picture (JP2)', bytes: Buffer.from('0000000c6a5020200d0a870a', 'hex') },
  { what: 'a picture (JPEG 2000, grey)', bytes: Buffer.from('ff4fff5100290000', 'hex') },
  { what: 'a picture (JPEG 2000, colour)', bytes: Buffer.from('ff4fff51002f0000', 'hex') },
  ...[' ', 'L', 'X'].map((kind) => ({ what: 'a picture (WebP)', bytes: Buffer.from(`WEBPVP8${kind}`) })),
  { what: 'a picture (AVIF)', bytes: Buffer.from('ftypavif') },
];
