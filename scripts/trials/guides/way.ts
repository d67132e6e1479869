/** How a command of a guide is run: which test does it, and in which form. */
export type Way =
  /** By scripts/test-vm, as it is written: a block of the technician's guide */
  | { readonly way: 'guide' }
  /** By scripts/test-vm on the installed clinic, in this form (no form: as written) */
  | { readonly way: 'installed'; readonly command?: string; readonly status?: number }
  /** By `npm run guides`, in this form, in a folder of its own; `until`: what it prints when it is up, if it stays */
  | {
      readonly way: 'tree';
      readonly command?: string;
      readonly status?: number;
      readonly prints?: string;
      readonly until?: string;
    }
  /** By `npm run guides`, one after the other on the prompt of the first; each is to answer what stands below it */
  | { readonly way: 'prompt' }
  /** That file runs it, in these words */
  | { readonly way: 'by'; readonly file: string; readonly words: string }
  /** It is a measurement itself: docs/figures.md has what it printed */
  | { readonly way: 'figure' }
  /** A name in passing; the command that begins so is run with its arguments elsewhere in this table */
  | { readonly way: 'named' }
  | { readonly way: 'not run'; readonly because: string };
