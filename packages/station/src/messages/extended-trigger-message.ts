import type { Requests, Responses } from '@evander/ocpp';
import type { CommandedStation } from './commanded-station.ts';
import { answerTrigger } from './trigger-message.ts';

/** SEC §5.5: like TriggerMessage, with the messages of the security extension; a CSR requires CpoName (A02). */
export function extendedTriggerMessage(
  station: CommandedStation,
  request: Requests['ExtendedTriggerMessage'],
): Responses['ExtendedTriggerMessage'] {
  const isCsr = request.requestedMessage === 'SignChargePointCertificate';
  if (isCsr && !station.configuration.find('CpoName')?.value) return { status: 'Rejected' };
  return answerTrigger(station, request, { isExtended: true });
}
