import { RuleViolation } from '../../commands/command.ts';
import type { Command } from '../../commands/command.ts';
import * as availabilities from '../../stations/availabilities.store.ts';

export const changeAvailability: Command<'ChangeAvailability'> = {
  repeatable: true,
  check({ connectorId }) {
    if (connectorId < 0) throw new RuleViolation('ChangeAvailability.1', 'connectorId must be 0 or higher');
  },
  // The connector's status changes only when the station reports it (ChangeAvailability.2).
  async onAnswer({ status }, { request, sentAt }, { db, stationId }) {
    const { connectorId, type } = request;
    await availabilities.record(db, {
      stationId,
      connectorId,
      requested: type,
      answer: status,
      requestedAt: sentAt,
    });
  },
};
