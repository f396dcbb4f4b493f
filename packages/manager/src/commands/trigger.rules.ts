import { RuleViolation } from './command.ts';
import type { CheckContext } from './command.ts';

/** Checks the rules for both trigger actions (Trigger.2, Trigger.3). Throws RuleViolation. */
export function checkTrigger(
  { requestedMessage, connectorId }: { requestedMessage: string; connectorId?: number },
  { stationId, registrationStatus }: CheckContext,
): void {
  if (connectorId !== undefined && connectorId < 0)
    throw new RuleViolation(
      'Trigger.2',
      'connectorId must be a connector, or 0 for the station itself, or omitted',
    );
  if (requestedMessage === 'BootNotification' && registrationStatus === 'Accepted')
    throw new RuleViolation(
      'Boot.8',
      `station ${stationId} is already accepted and must not be triggered to send BootNotification; use Reset to reboot it`,
    );
}
