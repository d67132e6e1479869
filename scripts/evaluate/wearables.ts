/** What a person may wear or hold before their face, painted onto a picture along the points of the face in it. */
import { leftEye, meanMeshPoint, meshBox, meshPoint, rightEye } from '../../src/face/models/find-landmarks.ts';
import type { Point } from '../../src/face/picture/geometry.ts';
import type { RgbImage } from '../../src/face/picture/sample-image.ts';
import { between } from './between.ts';

type Colour = readonly [red: number, green: number, blue: number];
/** Colour at a place; `light` is that of the picture there, 0..1 of its usual. */
type Paint = (x: number, y: number) => Colour;

/** Contour of the jaw below the ears, from the picture's left to its right. */
const jaw = [58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288];

const isInside = (polygon: readonly Point[], x: number, y: number): boolean => {
  let inside = false;
  for (const [i, a] of polygon.entries()) {
    const b = polygon[(i + polygon.length - 1) % polygon.length] as Point;
    if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
  }
  return inside;
};

/** Fills a polygon; `opacity` 0..1. */
const fill = (image: RgbImage, polygon: readonly Point[], paint: Paint, opacity = 1): void => {
  const { width, height, rgb } = image;
  const xs = polygon.map(({ x }) => x);
  const ys = polygon.map(({ y }) => y);
  for (let y = Math.max(0, Math.floor(Math.min(...ys))); y <= Math.min(height - 1, Math.max(...ys)); y++)
    for (let x = Math.max(0, Math.floor(Math.min(...xs))); x <= Math.min(width - 1, Math.max(...xs)); x++) {
      if (!isInside(polygon, x, y)) continue;
      const colour = paint(x, y);
      const at = (y * width + x) * 3;
      for (let i = 0; i < 3; i++)
        rgb[at + i] = Math.min(
          255,
          Math.max(0, (rgb[at + i] as number) * (1 - opacity) + (colour[i] as number) * opacity),
        );
    }
};

const ellipse = ({ x, y }: Point, radiusX: number, radiusY: number, tilt = 0): Point[] =>
  Array.from({ length: 40 }, (_, i) => {
    const angle = (i / 20) * Math.PI;
    const [u, v] = [Math.cos(angle) * radiusX, Math.sin(angle) * radiusY];
    return { x: x + u * Math.cos(tilt) - v * Math.sin(tilt), y: y + u * Math.sin(tilt) + v * Math.cos(tilt) };
  });

/** Mean brightness of the cheeks over that of a well lit face: what is put on stands in the same light. */
const lightOf = ({ rgb, width, height }: RgbImage, mesh: Float32Array): number => {
  const cheeks = [101, 330, 50, 280, 168].map((index) => {
    const { x, y } = meshPoint(mesh, index);
    const at =
      (Math.min(height - 1, Math.max(0, Math.round(y))) * width + Math.min(width - 1, Math.max(0, Math.round(x)))) * 3;
    return ((rgb[at] as number) + (rgb[at + 1] as number) + (rgb[at + 2] as number)) / 3;
  });
  return Math.min(1.15, cheeks.reduce((a, b) => a + b, 0) / cheeks.length / 150);
};
const skinOf = ({ rgb, width, height }: RgbImage, mesh: Float32Array): Colour => {
  const sum = [0, 0, 0];
  const places = [101, 330, 50, 280, 151];
  for (const index of places) {
    const { x, y } = meshPoint(mesh, index);
    const at =
      (Math.min(height - 1, Math.max(0, Math.round(y))) * width + Math.min(width - 1, Math.max(0, Math.round(x)))) * 3;
    for (let i = 0; i < 3; i++) sum[i] = (sum[i] as number) + (rgb[at + i] as number) / places.length;
  }
  return sum as unknown as Colour;
};

export const maskKinds = ['white', 'blue', 'black', 'patterned', 'belowNose'] as const;
export type MaskKind = (typeof maskKinds)[number];

const maskColour = (
  kind: MaskKind,
  random: () => number,
): { readonly ground: Colour; readonly print: Colour | null } => {
  const shade = between(random, 0.92, 1.05);
  const of = (...colour: Colour): Colour => colour.map((value) => value * shade) as unknown as Colour;
  const prints: readonly Colour[] = [
    [180, 60, 80],
    [60, 90, 150],
    [70, 120, 80],
    [200, 160, 90],
    [90, 70, 110],
  ];
  const grounds: readonly Colour[] = [
    [235, 225, 215],
    [220, 190, 195],
    [60, 70, 100],
    [190, 200, 180],
  ];
  const any = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
  if (kind === 'black') return { ground: of(34, 34, 37), print: null };
  if (kind === 'blue') return { ground: of(150, 190, 222), print: null };
  if (kind === 'patterned') return { ground: of(...any(grounds)), print: any(prints) };
  if (kind === 'belowNose' && random() < 0.5) return { ground: of(150, 190, 222), print: null };
  return { ground: of(232, 233, 234), print: null };
};

/** A mask from the bridge of the nose, or from below the nose, to under the chin; pleats, shade at the sides, straps. */
export const putOnMask = (image: RgbImage, mesh: Float32Array, kind: MaskKind, random: () => number): RgbImage => {
  const worn = { ...image, rgb: image.rgb.slice() };
  const { ground, print } = maskColour(kind, random);
  const light = lightOf(image, mesh);
  const face = meshBox(mesh);
  const chin = meshPoint(mesh, 152);
  const at = (index: number): Point => meshPoint(mesh, index);
  const middle = (a: number, b: number, part: number): Point => ({
    x: at(a).x + (at(b).x - at(a).x) * part,
    y: at(a).y + (at(b).y - at(a).y) * part,
  });
  const top =
    kind === 'belowNose'
      ? [
          middle(288, 361, 0.3),
          at(426),
          { x: at(2).x, y: at(2).y + face.height * 0.012 },
          at(206),
          middle(58, 132, 0.3),
        ]
      : [at(323), at(346), middle(6, 195, between(random, 0.3, 0.9)), at(117), at(93)];
  // Cloth stands off the jaw.
  const around = jaw.map((index) => {
    const point = at(index);
    return { x: at(1).x + (point.x - at(1).x) * 1.03, y: chin.y + (point.y - chin.y) * 1.02 + face.height * 0.02 };
  });
  const size = face.width / 11;
  const [phaseX, phaseY] = [random() * size, random() * size];
  const paint: Paint = (x, y) => {
    const across = (x - at(1).x) / (face.width / 2);
    const pleat = 1 - 0.06 * Math.max(0, Math.sin(((y - face.y) / face.height) * 40)) ** 8;
    const shade = light * (1 - 0.28 * across * across) * pleat + (random() - 0.5) * 0.03;
    const isPrint =
      print !== null && Math.hypot(((x + phaseX) % size) - size / 2, ((y + phaseY) % size) - size / 2) < size * 0.33;
    return (isPrint ? (print as Colour) : ground).map((value) => value * shade) as unknown as Colour;
  };
  fill(worn, [...around, ...top], paint);
  return worn;
};

/** Dark glasses, black, brown or fading towards the cheeks. */
export const putOnSunglasses = (image: RgbImage, mesh: Float32Array, random: () => number): RgbImage => {
  const worn = { ...image, rgb: image.rgb.slice() };
  const { width } = meshBox(mesh);
  const tints: readonly Colour[] = [
    [18, 18, 20],
    [46, 30, 22],
    [24, 30, 40],
  ];
  const tint = tints[Math.floor(random() * tints.length)] as Colour;
  for (const eye of [leftEye, rightEye]) {
    const { x, y } = meanMeshPoint(mesh, eye);
    fill(
      worn,
      ellipse({ x, y: y + width * 0.02 }, width * between(random, 0.19, 0.23), width * 0.15),
      () => tint,
      between(random, 0.88, 1),
    );
  }
  fill(worn, ellipse(meshPoint(mesh, 168), width * 0.08, width * 0.02), () => tint);
  return worn;
};

/** Ordinary glasses in whose panes a lamp or the screen shows, over both eyes. */
export const putOnShiningGlasses = (image: RgbImage, mesh: Float32Array, random: () => number): RgbImage => {
  const worn = { ...image, rgb: image.rgb.slice() };
  const { width } = meshBox(mesh);
  const frame: Colour = [40, 34, 32];
  for (const eye of [leftEye, rightEye]) {
    const centre = meanMeshPoint(mesh, eye);
    const [radiusX, radiusY] = [width * 0.2, width * 0.14];
    fill(worn, ellipse(centre, radiusX * 1.06, radiusY * 1.08), () => frame);
    const { rgb } = image;
    // The pane lets the face through, but for what shines in it.
    fill(worn, ellipse(centre, radiusX, radiusY), (x, y) => {
      const at = (y * image.width + x) * 3;
      return [rgb[at] as number, rgb[at + 1] as number, rgb[at + 2] as number];
    });
    const cold = between(random, 0.9, 1);
    fill(
      worn,
      ellipse(
        centre,
        radiusX * between(random, 0.62, 0.9),
        radiusY * between(random, 0.62, 0.9),
        between(random, -0.3, 0.3),
      ),
      () => [250 * cold, 252, 255],
      between(random, 0.82, 0.97),
    );
  }
  return worn;
};

/** A hat whose brim comes down to the brows, with its shade over the eyes. */
export const putOnHat = (image: RgbImage, mesh: Float32Array, random: () => number): RgbImage => {
  const worn = { ...image, rgb: image.rgb.slice() };
  const box = meshBox(mesh);
  const brow = Math.min(meshPoint(mesh, 105).y, meshPoint(mesh, 334).y);
  const eyes = (meanMeshPoint(mesh, leftEye).y + meanMeshPoint(mesh, rightEye).y) / 2;
  const low = brow + (eyes - brow) * between(random, 0.35, 0.75);
  const colours: readonly Colour[] = [
    [40, 40, 52],
    [92, 74, 54],
    [28, 28, 30],
    [150, 40, 44],
    [214, 206, 190],
  ];
  const colour = colours[Math.floor(random() * colours.length)] as Colour;
  const middle = box.x + box.width / 2;
  const light = lightOf(image, mesh);
  const { rgb, width } = image;
  // The shade first: it fades towards the tip of the nose.
  const shadeEnd = low + box.height * 0.34;
  fill(
    worn,
    [
      { x: box.x - box.width * 0.1, y: low },
      { x: box.x + box.width * 1.1, y: low },
      { x: box.x + box.width * 1.05, y: shadeEnd },
      { x: box.x - box.width * 0.05, y: shadeEnd },
    ],
    (x, y) => {
      const at = (y * width + x) * 3;
      const dim = 0.42 + 0.58 * Math.min(1, Math.max(0, (y - low) / (shadeEnd - low)));
      return [(rgb[at] as number) * dim, (rgb[at + 1] as number) * dim, (rgb[at + 2] as number) * dim];
    },
  );
  const brim = ellipse({ x: middle, y: low - box.height * 0.06 }, box.width * 0.78, box.height * 0.075);
  const crown = [
    { x: middle - box.width * 0.56, y: low - box.height * 0.05 },
    { x: middle - box.width * 0.5, y: box.y - box.height * 0.45 },
    { x: middle + box.width * 0.5, y: box.y - box.height * 0.45 },
    { x: middle + box.width * 0.56, y: low - box.height * 0.05 },
  ];
  const cloth =
    (dim: number): Paint =>
    () =>
      colour.map((value) => value * light * dim + (random() - 0.5) * 6) as unknown as Colour;
  fill(worn, crown, cloth(1));
  fill(worn, brim, cloth(0.8));
  return worn;
};

/** Of the face's width. */
const fingerReach = [0.42, 0.5, 0.47, 0.36];

/** A hand before the mouth: four fingers across it from one side. */
export const putUpHand = (image: RgbImage, mesh: Float32Array, random: () => number): RgbImage => {
  const worn = { ...image, rgb: image.rgb.slice() };
  const { width, height } = meshBox(mesh);
  const skin = skinOf(image, mesh);
  const mouth = meshPoint(mesh, 13);
  const side = random() < 0.5 ? -1 : 1;
  const tilt = between(random, -0.25, 0.25);
  const tone = between(random, 0.86, 1.04);
  for (let finger = 3; finger >= 0; finger--) {
    const y = mouth.y + (finger - 1.4) * height * 0.085;
    const reach = width * (fingerReach[finger] as number);
    const centre = { x: mouth.x + side * width * 0.16, y };
    const radius = height * 0.056;
    // No finger has quite the colour of the next; joints are redder.
    const red = between(random, 0.98, 1.05);
    const joint = reach * between(random, 0.2, 0.5);
    fill(worn, ellipse(centre, reach, radius, side * tilt), (u, v) => {
      // Round, and dark where two fingers meet.
      const across = Math.min(1, Math.abs(v - y) / radius);
      const dim = tone * (1.04 - 0.34 * across ** 3) + (random() - 0.5) * 0.03;
      const redder = red + 0.05 * Math.exp(-(((Math.abs(u - centre.x) - joint) / (radius * 0.8)) ** 2));
      return skin.map((value, channel) => value * dim * (channel === 0 ? redder : 1)) as unknown as Colour;
    });
  }
  // The back of the hand.
  fill(
    worn,
    ellipse({ x: mouth.x + side * width * 0.62, y: mouth.y + height * 0.06 }, width * 0.3, height * 0.2),
    () => skin.map((value) => value * tone * 0.96 + (random() - 0.5) * 5) as unknown as Colour,
  );
  return worn;
};

/** A camera that shook, or a head that moved: the picture smeared over `length` pixels along `angle` (rad). */
export const smear = (image: RgbImage, length: number, angle: number, target: Uint8Array): void => {
  const { width, height, rgb } = image;
  const steps = Math.max(2, Math.round(length));
  const offsets = Array.from({ length: steps }, (_, i) => {
    const along = (i / (steps - 1) - 0.5) * length;
    return [Math.round(Math.cos(angle) * along), Math.round(Math.sin(angle) * along)] as const;
  });
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let [red, green, blue] = [0, 0, 0];
      for (const [dx, dy] of offsets) {
        const at = (Math.min(height - 1, Math.max(0, y + dy)) * width + Math.min(width - 1, Math.max(0, x + dx))) * 3;
        red += rgb[at] as number;
        green += rgb[at + 1] as number;
        blue += rgb[at + 2] as number;
      }
      const to = (y * width + x) * 3;
      target[to] = red / steps;
      target[to + 1] = green / steps;
      target[to + 2] = blue / steps;
    }
};
