import type { CheckedKit } from './planted-defect.ts';
import { adapterKit } from './sample-adapter.ts';
import { busKit } from './sample-bus.ts';
import { cardKit } from './sample-card-client.ts';
import { oqsKit } from './sample-receipt-computer.ts';

export const kits: readonly CheckedKit[] = [oqsKit, cardKit, adapterKit, busKit];
