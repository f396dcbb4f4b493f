import type { Requests, Responses } from '@evander/ocpp';
import type { Station } from '../station.ts';
import { settledOrOffline } from '../until.ts';

/** §5.14: a soft reset delivers the end of its sessions first, a hard one after the next boot. */
export function reset(station: Station, { type }: Requests['Reset']): Responses['Reset'] {
  station.afterAnswer(() => reboot(station, type));
  return { status: 'Accepted' };
}

async function reboot(station: Station, type: Requests['Reset']['type']): Promise<void> {
  if (type === 'Hard') await station.disconnect();
  for (const connector of station.connectors) connector.stop(type === 'Hard' ? 'HardReset' : 'SoftReset');
  if (type === 'Soft') await settledOrOffline(station, station.queue.drained());
  await station.disconnect();
  station.registration.forget();
  station.configuration.reboot();
  await station.goOnline();
  await station.boot();
}
