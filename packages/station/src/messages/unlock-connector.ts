import type { Requests, Responses } from '@evander/ocpp';
import type { CommandedStation } from './commanded-station.ts';

/** §5.18: a session on the connector ends first. */
export function unlockConnector(
  station: Pick<CommandedStation, 'findConnector'>,
  { connectorId }: Requests['UnlockConnector'],
): Responses['UnlockConnector'] {
  const connector = connectorId > 0 ? station.findConnector(connectorId) : undefined;
  if (!connector) return { status: 'NotSupported' };
  connector.stop('UnlockCommand');
  return { status: 'Unlocked' };
}
