import type { Command } from '../../commands/command.ts';
import { checkEntries, requireRisingVersion, requireRoomInList } from '../../local-lists/local-list.rules.ts';
import { recordAnswer } from '../../local-lists/local-list.ts';

// Not repeatable: a station rejects a Differential list that it has already accepted.
export const sendLocalList: Command<'SendLocalList'> = {
  ids: { listVersion: 'listVersion' },
  async check(request, context) {
    checkEntries(request);
    await requireRisingVersion(request, context);
    await requireRoomInList(request, context);
  },
  async onAnswer({ status }, { request, sentAt }, { db, stationId }) {
    await recordAnswer(db, { stationId, request, status, sentAt });
  },
};
