import type { PageModel } from '../../src/agent/staff-page/page-model.ts';
import type { StaffMember } from '../../src/agent/staff-page/staff-codes.ts';
import { StaffCodes } from '../../src/agent/staff-page/staff-codes.ts';
import { startStaffPage } from '../../src/agent/staff-page/start-staff-page.ts';
import { catalogueAt } from '../../src/catalogue/load-catalogue.ts';
import { japaneseOf } from '../../src/cli/say.ts';
import type { AgentBed } from './agent-bed.ts';

type More = Partial<Parameters<typeof startStaffPage>[0]>;

/** The staff page of an agent's bed, on a free port; as after provision unless `more` says otherwise. */
export const openStaffPage = (bed: AgentBed, staff: readonly StaffMember[], more: More = {}) =>
  startStaffPage({
    port: 0,
    context: bed.context,
    desk: bed.desk,
    certificates: { warnings: () => [] },
    catalogue: () => catalogueAt(bed.clock.now().wallMs),
    staff: () => staff,
    staffCodes: new StaffCodes(() => staff, bed.journal.guesses, { minimumLength: 4, secondFactor: false }),
    folderFaults: () => [bed.desk.handOver].flatMap(({ folderFault }) => folderFault ?? []),
    problems: () => [],
    inJapanese: japaneseOf,
    subscribe: (listener) => {
      bed.listeners.add(listener);
      return () => bed.listeners.delete(listener);
    },
    ...more,
  });

/** What the views of the page are drawn from, without a page. */
export const pageModelOf = (bed: AgentBed): PageModel =>
  ({
    context: bed.context,
    desk: bed.desk,
    catalogue: () => catalogueAt(bed.clock.now().wallMs),
    nowMs: () => bed.clock.now().wallMs,
    token: 't',
    inJapanese: japaneseOf,
  }) as unknown as PageModel;

/** A button of `from` pressed for the one terminal of the bed; answers where its answer leads. */
export const pressOn = async (
  address: string,
  from: string,
  path: string,
  form: Readonly<Record<string, string>>,
): Promise<string> => {
  const shown = await (await fetch(new URL(from, address))).text();
  const token = /name="token" value="([^"]+)"/.exec(shown)?.[1] ?? '';
  const answer = await fetch(new URL(path, address), {
    method: 'POST',
    redirect: 'manual',
    headers: { Origin: address.slice(0, -1), 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token, device: 'front-1', ...form }).toString(),
  });
  if (answer.status !== 303) throw new Error(`${path}: ${answer.status}`);
  return answer.headers.get('location') ?? '';
};
