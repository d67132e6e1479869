import { memoryPlace } from '../../../scripts/beds/memory-journal.ts';
import { journalContract } from '../../contract/journal.ts';

/** What quick tests stand on keeps what every journal promises. */
journalContract('in memory', memoryPlace);
journalContract('in memory, of several agents', () => memoryPlace({ shared: true }), 5);
