import { RuleViolation } from '../../commands/command.ts';
import type { Command } from '../../commands/command.ts';
import { checkTrigger } from '../../commands/trigger.rules.ts';
import * as configuration from '../../configuration/configuration.store.ts';

/** The triggered message is accepted even while the station is Pending: see answer.ts. */
export const extendedTriggerMessage: Command<'ExtendedTriggerMessage'> = {
  async check(request, context) {
    checkTrigger(request, context);
    if (request.requestedMessage !== 'SignChargePointCertificate') return;
    if (request.connectorId !== undefined)
      throw new RuleViolation(
        'ExtTrigger.1',
        'SignChargePointCertificate is for the whole station; omit connectorId',
      );
    const { db, stationId } = context;
    const cpoName = await configuration.value(db, stationId, 'CpoName');
    if (cpoName === '')
      throw new RuleViolation(
        'ExtTrigger.2',
        `station ${stationId} has no CpoName yet; set it with ChangeConfiguration first`,
      );
  },
};
