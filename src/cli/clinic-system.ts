import { dirname } from 'node:path';
import { debianClinic } from './clinic-debian.ts';
import { windowsClinic } from './clinic-windows.ts';
import { type ClinicSystem, clinicPlaces } from './provision-places.ts';

export const clinicSystem: ClinicSystem =
  process.platform === 'win32' ? windowsClinic(clinicPlaces) : debianClinic(clinicPlaces);

/** Windows: the agent's directory lies in the facility's; Debian: in a place of its own, with a link to it. */
export const agentLiesInFacility = dirname(dirname(clinicPlaces.agent)) === clinicPlaces.facility;
