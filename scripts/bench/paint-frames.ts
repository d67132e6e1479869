import { faceIds } from '../../drivers/virtual/faces.ts';
import {
  emptyScene,
  frameHeight,
  frameWidth,
  personBefore,
  SceneRenderer,
} from '../../drivers/virtual/render-scene.ts';
import type { RgbImage } from '../../src/face/picture/sample-image.ts';

/** 640×480 frames of the demo's people in turn. */
export const paintFrames = async (count: number): Promise<RgbImage[]> => {
  const renderer = new SceneRenderer(1);
  const people = faceIds.filter((id) => id !== 'sample1-c');
  for (const id of people) await renderer.load(id);
  return Array.from({ length: count }, (_, i) => {
    const rgb = new Uint8Array(frameWidth * frameHeight * 3);
    const face = people[i % people.length] ?? 'sample3-a';
    renderer.render({ ...emptyScene, people: [personBefore(face)] }, i * 170, rgb);
    return { width: frameWidth, height: frameHeight, rgb };
  });
};
