declare module 'sql.js/dist/sql-asm.js' {
  export type SqlValue = number | string | Uint8Array | null;
  export type Statement = {
    bind(values: SqlValue[]): boolean;
    step(): boolean;
    getAsObject(): Record<string, SqlValue>;
    reset(): void;
  };
  export type Database = {
    exec(sql: string): unknown;
    prepare(sql: string): Statement;
    getRowsModified(): number;
    export(): Uint8Array;
    close(): void;
  };
  const initSqlJs: () => Promise<{ readonly Database: new (content?: Uint8Array) => Database }>;
  export default initSqlJs;
}
