import type { Requests, Responses } from '@evander/ocpp';
import type { CommandedStation } from './commanded-station.ts';
import { requireProfile } from './feature-profiles.ts';
import { sendTriggered, type TriggeredMessage } from './triggered.ts';

/** §5.17: the message follows the answer; without a connectorId it is for all connectors. */
export function triggerMessage(
  station: CommandedStation,
  request: Requests['TriggerMessage'],
): Responses['TriggerMessage'] {
  requireProfile(station, 'RemoteTrigger');
  return answerTrigger(station, request, { isExtended: false });
}

/** The common part of both trigger messages. */
export function answerTrigger(
  station: CommandedStation,
  request: { requestedMessage: TriggeredMessage; connectorId?: number },
  { isExtended }: { isExtended: boolean },
): Responses['TriggerMessage'] {
  const { requestedMessage, connectorId } = request;
  if (connectorId !== undefined && !station.findConnector(connectorId)) return { status: 'Rejected' };
  const { inventedAction } = station.quirks;
  station.afterAnswer(() => sendTriggered(station, requestedMessage, { connectorId, isExtended }));
  // Quirk 7: the types do not include such an action.
  if (inventedAction) station.afterAnswer(() => station.call(inventedAction as 'Heartbeat', {}));
  return { status: 'Accepted' };
}
