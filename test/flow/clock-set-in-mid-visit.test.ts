import { afterEach, expect, test, vi } from 'vitest';
import { openVisitBed, type VisitBed } from '../../scripts/beds/visit-bed.ts';

// Bounds for a machine that does ten other things; none of these waits when all is well.
vi.setConfig({ testTimeout: 120_000 });

const yearMs = 365 * 86_400_000;
let bed: VisitBed;
afterEach(() => bed.close());

test.each([10, -10])(
  'a clock that is set by %s years between an answer and the signature moves no answer',
  async (years) => {
    bed = await openVisitBed();
    await bed.insert('hanako');
    await bed.verifyFace();
    await bed.see('consent-bundle', 'consent-item');
    bed.screen.touch('agree');
    bed.setClockError(years * yearMs);
    await bed.answerAll('agree');
    await bed.see('accepted');
    const [visit] = bed.visits();
    expect(visit?.verdict).toBe('accepted');
  },
);
