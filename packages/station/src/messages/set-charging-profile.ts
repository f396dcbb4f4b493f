import type { Requests, Responses } from '@evander/ocpp';
import { requireProfile } from '../feature-profiles.ts';
import type { Station } from '../station.ts';

/** §5.16: errors and refusals as errata §3.38 and §3.39 have them. */
export function setChargingProfile(
  station: Station,
  request: Requests['SetChargingProfile'],
): Responses['SetChargingProfile'] {
  requireProfile(station, 'SmartCharging');
  return { status: station.chargingProfiles.set(request) };
}
