import type { LastingRows } from './lasting-rows.ts';

/** `version`: one more with each change, whoever made it. `content` null: nobody can read it any more */
type FacilityFile = { readonly content: string | null; readonly version: number };

const placeOf = (name: string): string => `facility_file.content ${name}`;

/** Files that all agents of a facility have in common. */
export class FacilityFiles {
  readonly #rows: LastingRows;

  constructor(rows: LastingRows) {
    this.#rows = rows;
  }

  get(name: string): FacilityFile | undefined {
    const row = this.#rows.get('SELECT content, version FROM facility_file WHERE name = ?', name);
    if (row === undefined) return undefined;
    return { content: this.#rows.cells.open(placeOf(name), String(row.content)), version: Number(row.version) };
  }

  /** Follows `version` of this file, 0: there is none yet. false: another agent has changed it since. */
  follow(name: string, version: number, content: string): boolean {
    return this.#rows.atOnce(() => {
      if ((this.get(name)?.version ?? 0) !== version) return false;
      this.#rows.run(
        'INSERT OR REPLACE INTO facility_file (name, content, version) VALUES (?, ?, ?)',
        ...[name, this.#rows.cells.seal(placeOf(name), content), version + 1],
      );
      this.#rows.deleted();
      return true;
    });
  }
}
