/** For whatever reads what need not be there: null where it is not. Throws anything else. */
export const orMissing = (error: NodeJS.ErrnoException): null => {
  if (error.code === 'ENOENT') return null;
  throw error;
};
