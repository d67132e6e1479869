/* Of node:os what the product asks for. */
export const uptime = (): number => performance.now() / 1_000;
