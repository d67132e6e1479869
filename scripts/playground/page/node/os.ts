/* Of node:os what the product asks for. */
export const uptime = (): number => performance.now() / 1_000;
export const tmpdir = (): string => '/tmp';
export const hostname = (): string => 'playground';
