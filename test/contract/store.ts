import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OutboxRow, Store } from '../../src/ports/store.ts';

const row = (more: Partial<OutboxRow> = {}): OutboxRow => ({
  requestId: randomUUID(),
  session: randomUUID(),
  documentHash: 'h'.repeat(43),
  sealed: new Uint8Array([1, 2, 3]),
  createdAtMs: 1_000,
  visitMark: null,
  expiresAtMs: 601_000,
  ...more,
});

/** What every store promises. `reopen` closes and opens it again on the same memory. */
export const storeContract = (
  name: string,
  open: () => Promise<{ readonly store: Store; readonly reopen: () => Promise<Store> }>,
): void => {
  describe(`store: ${name}`, () => {
    let store: Store;
    let reopen: () => Promise<Store>;
    beforeEach(async () => {
      ({ store, reopen } = await open());
    });
    afterEach(() => store.close());

    test('a row is there after a restart, byte for byte, oldest first', async () => {
      const late = row({ createdAtMs: 2_000, sealed: new Uint8Array(70_000).fill(7) });
      const early = row({ createdAtMs: 1_000 });
      expect(await store.addOutboxRow(late)).toMatchObject({ ok: true });
      expect(await store.addOutboxRow(early)).toMatchObject({ ok: true });
      store = await reopen();
      const rows = await store.outboxRows();
      expect(rows.ok && rows.value.map(({ requestId }) => requestId)).toEqual([early.requestId, late.requestId]);
      expect(rows.ok && rows.value[1]?.sealed).toEqual(late.sealed);
    });

    test('the same request id again changes nothing', async () => {
      const first = row();
      await store.addOutboxRow(first);
      await store.addOutboxRow({ ...first, documentHash: 'x'.repeat(43) });
      const rows = await store.outboxRows();
      expect(rows.ok && rows.value).toHaveLength(1);
      expect(rows.ok && rows.value[0]?.documentHash).toBe(first.documentHash);
    });

    test('a row leaves once', async () => {
      const one = row();
      await store.addOutboxRow(one);
      const entry = { atMs: 3_000, event: 'receipt-accepted', subject: one.requestId } as const;
      expect(await store.removeOutboxRow(one.requestId, entry)).toEqual({ ok: true, value: true });
      expect(await store.removeOutboxRow(one.requestId, entry)).toEqual({ ok: true, value: false });
      expect(await store.outboxRows()).toEqual({ ok: true, value: [] });
    });

    test('the last request that was accepted is known, also over a restart; what was refused is none', async () => {
      expect(await store.lastAccepted()).toEqual({ ok: true, value: null });
      const leaves = async (atMs: number, event: 'receipt-accepted' | 'receipt-refused') => {
        const one = row();
        await store.addOutboxRow(one);
        await store.removeOutboxRow(one.requestId, { atMs, event, subject: one.requestId });
        return one.requestId;
      };
      await leaves(3_000, 'receipt-accepted');
      const requestId = await leaves(4_000, 'receipt-accepted');
      await leaves(5_000, 'receipt-refused');
      expect(await store.lastAccepted()).toEqual({ ok: true, value: { requestId, at: 4_000 } });
      store = await reopen();
      expect(await store.lastAccepted()).toEqual({ ok: true, value: { requestId, at: 4_000 } });
    });

    test('settings only rise, also over a restart', async () => {
      const document = (text: string) => new TextEncoder().encode(text);
      expect(await store.readSettings()).toEqual({ ok: true, value: null });
      expect(await store.raiseSettings(7, document('seven'), 1)).toEqual({ ok: true, value: true });
      expect(await store.raiseSettings(6, document('six'), 2)).toEqual({ ok: true, value: false });
      store = await reopen();
      expect(await store.raiseSettings(6, document('six'), 3)).toEqual({ ok: true, value: false });
      const settings = await store.readSettings();
      expect(settings.ok && settings.value?.version).toBe(7);
      expect(settings.ok && settings.value && new TextDecoder().decode(settings.value.document)).toBe('seven');
    });

    test('a time with fractions of a ms, counted on from the one that the agent told, is taken', async () => {
      const document = new TextEncoder().encode('one');
      expect(await store.raiseSettings(1, document, 1_795_949_613_384.625)).toEqual({ ok: true, value: true });
      expect(await store.firstBrokenAuditEntry()).toEqual({ ok: true, value: null });
    });

    test('a nonce is new once, also over a restart, until it has expired', async () => {
      expect(await store.rememberNonce('n', 5_000, 1_000)).toEqual({ ok: true, value: true });
      expect(await store.rememberNonce('n', 5_000, 2_000)).toEqual({ ok: true, value: false });
      store = await reopen();
      expect(await store.rememberNonce('n', 5_000, 5_000)).toEqual({ ok: true, value: false });
      expect(await store.rememberNonce('n', 9_000, 5_001)).toEqual({ ok: true, value: true });
    });
  });
};
