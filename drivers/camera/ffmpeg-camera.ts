/** A camera behind ffmpeg: V4L2 devices on a terminal; lavfi graphs and files in tests. */

import type { Camera } from '../../src/ports/camera.ts';
import { createPipedCamera, frameHeight, frameWidth, rgbBytes, warmUpFrames } from './piped-camera.ts';

const usualFramesPerSecond = 30;

export type FfmpegCameraSettings = {
  /** A V4L2 device (`/dev/video0`), or a lavfi graph or a file for tests. */
  readonly source: { readonly device: string } | { readonly lavfi: string } | { readonly file: string };
  readonly framesPerSecond?: number;
};

const inputArguments = ({ source, framesPerSecond = usualFramesPerSecond }: FfmpegCameraSettings): string[] => {
  if ('device' in source)
    return [
      '-f',
      'v4l2',
      '-framerate',
      `${framesPerSecond}`,
      '-video_size',
      `${frameWidth}x${frameHeight}`,
      '-i',
      source.device,
    ];
  // -re: a file or a graph would otherwise come as fast as the processor allows.
  return 'lavfi' in source
    ? ['-re', '-f', 'lavfi', '-i', source.lavfi]
    : ['-re', '-stream_loop', '-1', '-i', source.file];
};

export const ffmpegArguments = (settings: FfmpegCameraSettings): string[] => [
  ...['-nostdin', '-loglevel', 'error', '-fflags', 'nobuffer', '-flags', 'low_delay'],
  ...inputArguments(settings),
  ...[
    '-an',
    '-vf',
    `scale=${frameWidth}:${frameHeight}:force_original_aspect_ratio=increase,crop=${frameWidth}:${frameHeight}`,
  ],
  ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
];

/** `camera.lost` when ffmpeg or the device is missing, or gives no frame for 4 s; it is found again by itself. */
export const createFfmpegCamera = (settings: FfmpegCameraSettings): Camera =>
  createPipedCamera({
    program: 'ffmpeg',
    arguments: ffmpegArguments(settings),
    pictureBytes: rgbBytes,
    ...('device' in settings.source ? { device: settings.source.device } : {}),
    warmUpFrames: 'device' in settings.source ? warmUpFrames : 0,
  });
