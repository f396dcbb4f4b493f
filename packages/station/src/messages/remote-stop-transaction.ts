import type { Requests, Responses } from '@evander/ocpp';
import type { CommandedStation } from './commanded-station.ts';

/** Errata §3.33: accepted if such a transaction is running. */
export function remoteStopTransaction(
  station: Pick<CommandedStation, 'connectors' | 'registration' | 'afterAnswer'>,
  { transactionId }: Requests['RemoteStopTransaction'],
): Responses['RemoteStopTransaction'] {
  const connector = station.connectors.find(({ session }) => session?.transactionId === transactionId);
  if (!connector || !station.registration.isAccepted) return { status: 'Rejected' };
  station.afterAnswer(() => connector.stop('Remote'));
  return { status: 'Accepted' };
}
