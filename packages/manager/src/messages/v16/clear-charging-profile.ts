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
        'with an id the station ignores all other fields; send only the id, or only the others',
      );
    if (connectorId !== undefined && connectorId < 0)
      throw new RuleViolation('ClearProfile.2', 'connectorId must be 0 (the whole station) or higher');
  },
  // Unknown: the station has no matching profile (ClearProfile.3).
  async onAnswer({ status }, { request, sentAt }, { db, stationId }) {
    if (!['Accepted', 'Unknown'].includes(status)) return;
    await chargingProfiles.clear(db, { stationId, filter: request, sentAt });
  },
};
