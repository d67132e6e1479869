/** The demo's hand on the virtual camera, over a unix socket: who is before it, and what ails it. */

import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { clearSocketPlace } from '../host/socket-place.ts';
import type { FaceId } from './faces.ts';
import { type Scene, sceneBefore } from './render-scene.ts';

type CameraFault = 'none' | 'lost' | 'frozen' | 'black';
export type CameraOrders = { readonly scene: Scene; readonly fault: CameraFault };

export interface VirtualCameraControl {
  /** Goes into the camera settings of the verifier: `{ kind: 'virtual', controlSocket: control.path, … }`. */
  readonly path: string;
  /** Puts a person before the camera; null = nobody. */
  setFace(face: FaceId | null): void;
  setScene(scene: Scene): void;
  setFault(fault: CameraFault): void;
  close(): Promise<void>;
}

const reconnectMs = 200;

/** Hears the orders of a control, again after it was gone; the returned function stops. */
export const hearOrders = (path: string, obey: (orders: CameraOrders) => void): (() => void) => {
  let socket: Socket | null = null;
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  const listen = (): void => {
    socket = connect(path);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (!stopped) timer = setTimeout(listen, reconnectMs);
    });
    createInterface({ input: socket }).on('line', (line) => obey(JSON.parse(line) as CameraOrders));
  };
  listen();
  return () => {
    stopped = true;
    socket?.destroy();
    if (timer !== null) clearTimeout(timer);
  };
};

/**
 * Listens on `path` (a unix socket, at most 107 bytes). The orders live here, not in the camera: a face process that
 * died and came back asks again and sees the same person.
 */
export const createVirtualCameraControl = async (path: string, face: FaceId | null): Promise<VirtualCameraControl> => {
  let orders: CameraOrders = { scene: sceneBefore(face), fault: 'none' };
  const cameras = new Set<Socket>();
  const line = (): string => `${JSON.stringify(orders)}\n`;
  const server = createServer((socket) => {
    cameras.add(socket);
    socket.on('close', () => cameras.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.write(line());
  });
  const change = (next: Partial<CameraOrders>): void => {
    orders = { ...orders, ...next };
    for (const camera of cameras) camera.write(line());
  };
  clearSocketPlace(path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  return {
    path,
    setFace: (id) => change({ scene: sceneBefore(id) }),
    setScene: (scene) => change({ scene }),
    setFault: (fault) => change({ fault }),
    close: () =>
      new Promise((resolve) => {
        for (const camera of cameras) camera.destroy();
        server.close(() => resolve());
      }),
  };
};
