import { openPcscdBench, openVirtualBench } from '../support/card-reader-benches.ts';
import { pcscdMissing, pcscliteMissing } from '../support/pcscd-bed.ts';
import { describeCardReader } from './card-reader.ts';

describeCardReader('virtual', openVirtualBench, null);
describeCardReader('pcscd with vpcd', openPcscdBench, pcscdMissing() ?? (await pcscliteMissing()));
