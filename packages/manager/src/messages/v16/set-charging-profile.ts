import type { Command } from '../../commands/command.ts';
import {
  checkProfile,
  requireCapacity,
  requirePlace,
  requireRoom,
} from '../../smart-charging/charging-profile.rules.ts';
import * as chargingProfiles from '../../smart-charging/charging-profiles.store.ts';

export const setChargingProfile: Command<'SetChargingProfile'> = {
  ids: { 'csChargingProfiles.chargingProfileId': 'chargingProfileId' },
  repeatable: true,
  async check(request, context) {
    await requirePlace(request, context);
    checkProfile(request.csChargingProfiles);
    await requireCapacity(request.csChargingProfiles, context);
    await requireRoom(request, context);
  },
  async onAnswer({ status }, { request, sentAt }, { db, stationId, commandId }) {
    if (status !== 'Accepted') return;
    const { connectorId, csChargingProfiles: profile } = request;
    await chargingProfiles.add(db, { stationId, connectorId, profile, commandId, setAt: sentAt });
  },
};
