/** For a bed whose counterpart is a process of its own, which has this machine's clock. ms since 1970 UTC */
export const machineNowMs = (): number => Date.now();
