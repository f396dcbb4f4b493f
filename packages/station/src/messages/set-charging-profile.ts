import type { Requests, Responses } from '@evander/ocpp';
import type { CommandedStation } from './commanded-station.ts';
import { requireProfile } from './feature-profiles.ts';

/** §5.16: errors and rejections according to errata §3.38 and §3.39. */
export function setChargingProfile(
  station: Pick<CommandedStation, 'configuration' | 'chargingProfiles'>,
  request: Requests['SetChargingProfile'],
): Responses['SetChargingProfile'] {
  requireProfile(station, 'SmartCharging');
  return { status: station.chargingProfiles.set(request) };
}
