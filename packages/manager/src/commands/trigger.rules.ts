import { RuleViolation } from './command.ts';
import type { CheckContext } from './command.ts';

/** What holds for both kinds of trigger (Trigger.2, Trigger.3): throws RuleViolation. */
export function checkTrigger(
  { requestedMessage, connectorId }: { requestedMessage: string; connectorId?: number },
  { stationId, registrationStatus }: CheckContext,
): void {
  if (connectorId !== undefined && connectorId < 0)
    throw new RuleViolation(
      'Trigger.2',
      'connectorId must be a connector, 0 for the station itself, or left out',
    );
  if (requestedMessage === 'BootNotification' && registrationStatus === 'Accepted')
    throw new RuleViolation(
      'Boot.8',
      `station ${stationId} is accepted already: it is not asked to boot again until it does so by itself; Reset makes it boot`,
    );
}
