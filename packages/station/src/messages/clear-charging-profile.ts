import type { Requests, Responses } from '@evander/ocpp';
import { requireProfile } from '../feature-profiles.ts';
import type { CommandedStation } from './commanded-station.ts';

/** §5.5: Unknown when nothing matched. */
export function clearChargingProfile(
  station: Pick<CommandedStation, 'configuration' | 'chargingProfiles'>,
  request: Requests['ClearChargingProfile'],
): Responses['ClearChargingProfile'] {
  requireProfile(station, 'SmartCharging');
  return { status: station.chargingProfiles.clear(request) };
}
