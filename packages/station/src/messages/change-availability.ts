import type { Requests, Responses } from '@evander/ocpp';
import type { CommandedStation } from './commanded-station.ts';

/** §5.2: a charging connector changes when its session ends; 0 is the station and all connectors. */
export function changeAvailability(
  station: Pick<CommandedStation, 'quirks' | 'connectors' | 'findConnector' | 'afterAnswer'>,
  { connectorId, type }: Requests['ChangeAvailability'],
): Responses['ChangeAvailability'] {
  const connector = station.findConnector(connectorId);
  if (!connector) return { status: 'Rejected' };
  const affected = connectorId === 0 ? [connector, ...station.connectors] : [connector];
  const { availabilityInTransaction } = station.quirks;
  const isAtOnce = availabilityInTransaction === 'UnavailableAtOnce' && type === 'Inoperative';
  station.afterAnswer(async () => {
    for (const one of affected) {
      await one.setOperative(type === 'Operative');
      if (isAtOnce) await one.setStatus('Unavailable');
    }
  });
  const isScheduled = affected.some(({ session }) => session) && !availabilityInTransaction;
  return { status: isScheduled ? 'Scheduled' : 'Accepted' };
}
