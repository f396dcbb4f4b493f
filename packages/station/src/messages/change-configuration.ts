import type { Requests, Responses } from '@evander/ocpp';
import { reconnect } from '../connection/reconnect.ts';
import { takeEffect } from '../lifecycle/configuration-effects.ts';
import { HEX_KEY } from '../security/security.ts';
import type { CommandedStation } from './commanded-station.ts';

/** §5.3: values are checked by type; a new password or security profile takes effect with an immediate reconnect. */
export function changeConfiguration(
  station: CommandedStation,
  { key, value }: Requests['ChangeConfiguration'],
): Responses['ChangeConfiguration'] {
  const name = key.toLowerCase();
  if (name === 'authorizationkey' && !HEX_KEY.test(value)) return { status: 'Rejected' };
  if (name === 'securityprofile' && !station.security.canUse(Number(value))) return { status: 'Rejected' };
  if (name === 'heartbeatinterval' && station.quirks.heartbeatStorm && !/^\d+$/.test(value)) {
    station.configuration.set(key, value);
    station.registration.storm();
    return { status: 'Accepted' };
  }
  const status = station.configuration.change(key, value);
  if (status !== 'Accepted') return { status };
  station.afterAnswer(async () => {
    takeEffect(station, name);
    if (isOutdated(station, name)) await reconnect(station);
  });
  return { status };
}

/** Whether the connection depends on the changed key. */
function isOutdated({ security, options }: CommandedStation, name: string): boolean {
  if (name === 'authorizationkey') return security.profile !== 3;
  return name === 'securityprofile' && options.security?.upgrade !== 'afterReset';
}
