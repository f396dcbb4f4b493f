import { RuleViolation } from '../../commands/command.ts';
import type { Command } from '../../commands/command.ts';
import * as chargingProfiles from '../../smart-charging/charging-profiles.store.ts';

export const clearChargingProfile: Command<'ClearChargingProfile'> = {
  repeatable: true,
  check({ id, connectorId, stackLevel, chargingProfilePurpose }) {
    const others = [connectorId, stackLevel, chargingProfilePurpose];
    if (id !== undefined && others.some((field) => field !== undefined))
      throw new RuleViolation(
        'ClearProfile.1',
        'with an id the station ignores all other fields: send the id alone, or only the others',
      );
    if (connectorId !== undefined && connectorId < 0)
      throw new RuleViolation(
        'ClearProfile.2',
        'connectorId must be 0, for the station as a whole, or a connector',
      );
  },
  // Unknown: nothing fits any more, so nothing of it is there (ClearProfile.3).
  async onAnswer({ status }, { request, sentAt }, { db, stationId }) {
    if (!['Accepted', 'Unknown'].includes(status)) return;
    await chargingProfiles.clear(db, { stationId, filter: request, sentAt });
  },
};
