import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import type { AgentContext } from '../agent-context.ts';
import type { AgentDesk } from '../desk/agent-desk.ts';
import type { CertificateDesk } from '../desk/certificate-desk.ts';
import type { Lane } from '../desk/lanes.ts';
import type { FolderFault } from '../oqs-folder/hand-over.ts';
import type { RolloutStand } from '../rollout/rollout-desk.ts';
import type { PendingOrders } from './pending-orders.ts';
import type { StaffCodes, StaffMember } from './staff-codes.ts';

/** What the next page says about the order just given. */
export type Notice = { readonly good: boolean; readonly text: string };

/** What the views draw from. */
export type StaffPageParts = {
  /** 0 = any free port of the loopback interface */
  readonly port: number;
  /** Tries out a terminal that was added a moment ago, by itself */
  readonly triesNewTerminals?: boolean;
  readonly context: AgentContext;
  readonly desk: AgentDesk;
  readonly certificates: Pick<CertificateDesk, 'warnings'>;
  /** As it holds now */
  readonly catalogue: () => Catalogue;
  readonly staff: () => readonly StaffMember[];
  readonly staffCodes: StaffCodes;
  readonly folderFaults: () => readonly FolderFault[];
  /** Watched files whose newest content cannot be used */
  readonly problems: () => readonly string[];
  /** Of a chain: how this facility stands with its orders */
  readonly rollout?: (lanes: readonly Lane[]) => readonly RolloutStand[];
  /** What the table of faults says to technicians, in Japanese; unchanged where it has none */
  readonly inJapanese: (english: string) => string;
  readonly subscribe: (listener: () => void) => () => void;
};

export type PageModel = StaffPageParts & {
  /** Stands in every form of this process's pages */
  readonly token: string;
  readonly orders: PendingOrders;
  readonly nowMs: () => number;
  /** The answer to the order named in the page's address, while it is new */
  readonly notice: (address: URLSearchParams) => Notice | undefined;
};
