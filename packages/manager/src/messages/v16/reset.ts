import type { Command } from '../../commands/command.ts';
import * as stations from '../../stations/stations.store.ts';

export const reset: Command<'Reset'> = {
  // It is done with the next BootNotification (Reset.2), which some stations send before they answer.
  async onAnswer({ status }, { sentAt }, { db, stationId }) {
    if (status === 'Accepted') await stations.expectBoot(db, stationId, sentAt);
  },
};
