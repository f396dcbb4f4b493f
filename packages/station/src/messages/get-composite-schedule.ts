import type { Requests, Responses } from '@evander/ocpp';
import type { CommandedStation } from './commanded-station.ts';
import { requireProfile } from './feature-profiles.ts';

/** §5.7: the composite of the installed profiles. */
export function getCompositeSchedule(
  station: Pick<CommandedStation, 'configuration' | 'chargingProfiles'>,
  request: Requests['GetCompositeSchedule'],
): Responses['GetCompositeSchedule'] {
  requireProfile(station, 'SmartCharging');
  return station.chargingProfiles.composite(request);
}
