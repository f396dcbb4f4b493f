import type { Requests, Responses } from '@evander/ocpp';
import type { Station } from '../station.ts';

/** §5.2: a connector that charges changes when its session ends; 0 is the station and all connectors. */
export function changeAvailability(
  station: Station,
  { connectorId, type }: Requests['ChangeAvailability'],
): Responses['ChangeAvailability'] {
  const connector = station.findConnector(connectorId);
  if (!connector) return { status: 'Rejected' };
  const affected = connectorId === 0 ? [connector, ...station.connectors] : [connector];
  station.afterAnswer(async () => {
    for (const one of affected) await one.setOperative(type === 'Operative');
  });
  return { status: affected.some(({ session }) => session) ? 'Scheduled' : 'Accepted' };
}
