import type { PinKey } from '../../src/ports/keypad.ts';

/** How the input reports of one model of keypad are read. */
type KeypadModel = {
  /** Length of an input report, bytes; others are ignored. */
  readonly reportLength: number;
  /** Value of the first byte when the reports are numbered; undefined = not numbered. */
  readonly reportId?: number;
  /** First and last byte of the slots that hold the usages of the keys now down. */
  readonly slots: readonly [number, number];
  /** HID usage → key of the PIN pad. */
  readonly keys: ReadonlyMap<number, PinKey>;
};

const clear = 0x08;
const enter = 0x0d;
const digit = (value: number): PinKey => 0x30 + value;

/** HID Usage Tables 1.5, page 0x07: the keypad block, the row of digits, Enter, Backspace, Delete, Escape. */
const keyboardPage: ReadonlyMap<number, PinKey> = new Map([
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 0].flatMap((value, index): [number, PinKey][] => [
    [0x59 + index, digit(value)],
    [0x1e + index, digit(value)],
  ]),
  [0x28, enter],
  [0x58, enter],
  [0x2a, clear],
  [0x4c, clear],
  [0x29, clear],
]);

/** Keypads by the name that the configuration gives (`keypad.model`). A new model is a new entry. */
export const keypadModels: ReadonlyMap<string, KeypadModel> = new Map([
  /** Any USB numeric keypad that speaks the boot protocol (HID 1.11, appendix B.1): modifiers, reserved, six slots. */
  ['numeric-keypad', { reportLength: 8, slots: [2, 7], keys: keyboardPage }],
  /** The same with report number 1 before it, as keypads with extra media keys send it. */
  ['numeric-keypad-numbered', { reportLength: 9, reportId: 1, slots: [3, 8], keys: keyboardPage }],
]);

/** Usages of a report, or null when it is no report of keys: another length or number, or ErrorRollOver (0x01). */
const usagesOf = (model: KeypadModel, report: Uint8Array): Uint8Array | null => {
  if (report.length !== model.reportLength) return null;
  if (model.reportId !== undefined && report[0] !== model.reportId) return null;
  const usages = report.slice(model.slots[0], model.slots[1] + 1);
  return usages.includes(0x01) ? null : usages;
};

/**
 * Turns reports into keys: a key counts once, when it goes down. What is held down is overwritten with the next report.
 * @param bounceMs a key that goes down again within this time is the same press
 */
export const createReportReader = (model: KeypadModel, bounceMs = 30) => {
  let down: Uint8Array = new Uint8Array();
  const pressedAtMs = new Map<number, number>();
  return {
    /** Keys that went down with this report, in the order of its slots. `atMs`: monotonic. */
    read: (report: Uint8Array, atMs: number): PinKey[] => {
      const usages = usagesOf(model, report);
      if (usages === null) return [];
      const keys: PinKey[] = [];
      for (const [slot, usage] of usages.entries()) {
        const key = model.keys.get(usage);
        if (key === undefined || down.includes(usage) || usages.indexOf(usage) !== slot) continue;
        if (atMs - (pressedAtMs.get(usage) ?? Number.NEGATIVE_INFINITY) < bounceMs) continue;
        keys.push(key);
      }
      for (const usage of usages) if (model.keys.has(usage)) pressedAtMs.set(usage, atMs);
      down.fill(0);
      down = usages;
      return keys;
    },
    forget: (): void => {
      down.fill(0);
      down = new Uint8Array();
      pressedAtMs.clear();
    },
  };
};
