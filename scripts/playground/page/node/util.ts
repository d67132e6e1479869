/* Of node:util what the product asks for. */
type Callback<T> = (error: Error | null, value?: T) => void;
export const promisify =
  <T>(work: (...args: unknown[]) => void) =>
  (...args: unknown[]): Promise<T> =>
    new Promise((resolve, reject) => {
      const done: Callback<T> = (error, value) => (error ? reject(error) : resolve(value as T));
      work(...args, done);
    });
