import type { Requests, Responses } from '@evander/ocpp';
import type { CommandedStation } from './commanded-station.ts';
import { requireProfile } from './feature-profiles.ts';

/** §5.5: Unknown if nothing matches. */
export function clearChargingProfile(
  station: Pick<CommandedStation, 'configuration' | 'chargingProfiles'>,
  request: Requests['ClearChargingProfile'],
): Responses['ClearChargingProfile'] {
  requireProfile(station, 'SmartCharging');
  return { status: station.chargingProfiles.clear(request) };
}
