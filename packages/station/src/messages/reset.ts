import type { Requests, Responses } from '@evander/ocpp';
import { comeUp, restart, type RestartOptions } from '../lifecycle/restart.ts';
import type { CommandedStation } from './commanded-station.ts';

/** §5.14: a soft reset delivers the end of its sessions first, a hard one after the next boot. */
export function reset(station: CommandedStation, { type }: Requests['Reset']): Responses['Reset'] {
  const options: RestartOptions =
    type === 'Hard' ? { reason: 'HardReset' } : { reason: 'SoftReset', isGraceful: true };
  switch (station.quirks.reset) {
    case 'neverReboots':
      break;
    case 'bootBeforeAnswer':
      station.beforeAnswer(() => bootOnSameSocket(station, options));
      station.afterAnswer(() => station.registration.report());
      break;
    case 'close1005':
      station.afterAnswer(() => comeBackAtOnce(station, options));
      break;
    case 'closeWithoutAnswer':
      station.beforeAnswer(() => station.disconnect());
      station.afterAnswer(() => restart(station, { ...options, isGraceful: false }));
      break;
    default:
      station.afterAnswer(() => restart(station, options));
  }
  return { status: 'Accepted' };
}

async function bootOnSameSocket(station: CommandedStation, { reason }: RestartOptions): Promise<void> {
  for (const connector of station.connectors) connector.stop(reason);
  comeUp(station);
  await station.registration.boot();
}

async function comeBackAtOnce(station: CommandedStation, { reason }: RestartOptions): Promise<void> {
  for (const connector of station.connectors) connector.stop(reason);
  comeUp(station);
  await station.disconnect({ withoutCode: true });
  await station.goOnline();
  await station.boot();
}
