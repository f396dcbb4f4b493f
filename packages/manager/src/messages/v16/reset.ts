import type { Command } from '../../commands/command.ts';
import * as stations from '../../stations/stations.store.ts';

export const reset: Command<'Reset'> = {
  // The next BootNotification completes it (Reset.2); some stations send it before they answer.
  async onAnswer({ status }, { sentAt }, { db, stationId }) {
    if (status === 'Accepted') await stations.expectBoot(db, stationId, sentAt);
  },
};
