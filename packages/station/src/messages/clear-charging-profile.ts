import type { Requests, Responses } from '@evander/ocpp';
import { requireProfile } from '../feature-profiles.ts';
import type { Station } from '../station.ts';

/** §5.5: Unknown when nothing matched. */
export function clearChargingProfile(
  station: Station,
  request: Requests['ClearChargingProfile'],
): Responses['ClearChargingProfile'] {
  requireProfile(station, 'SmartCharging');
  return { status: station.chargingProfiles.clear(request) };
}
