import type { Requests, Responses } from '@evander/ocpp';
import type { Station } from '../station.ts';

type TriggerRequest = Requests['TriggerMessage'];

/** §5.17: the message follows the answer; no connectorId means all of them. */
export function triggerMessage(station: Station, request: TriggerRequest): Responses['TriggerMessage'] {
  const { connectorId } = request;
  if (connectorId !== undefined && !station.findConnector(connectorId)) return { status: 'Rejected' };
  const effect = effectOf(station, request);
  if (!effect) return { status: 'NotImplemented' };
  station.afterAnswer(effect);
  return { status: 'Accepted' };
}

function effectOf(
  station: Station,
  { requestedMessage, connectorId }: TriggerRequest,
): (() => Promise<unknown>) | undefined {
  const connectors = connectorId === undefined ? station.connectors : [station.connector(connectorId)];
  switch (requestedMessage) {
    case 'BootNotification':
      return () => station.registration.boot();
    case 'Heartbeat':
      return () => station.call('Heartbeat', {});
    case 'StatusNotification':
      return () => Promise.all(connectors.map((connector) => connector.report()));
    case 'MeterValues':
      return () => Promise.all(connectors.map((connector) => connector.sampleOnTrigger()));
    default:
      return undefined;
  }
}
