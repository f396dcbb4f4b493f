import type { Command } from '../../commands/command.ts';
import * as issuedIds from '../../database/issued-ids.ts';
import { recordVersion } from '../../local-lists/local-list.ts';

export const getLocalListVersion: Command<'GetLocalListVersion'> = {
  repeatable: true,
  async onAnswer({ listVersion: version }, { sentAt }, { db, stationId }) {
    await issuedIds.claim(db, stationId, { kind: 'listVersion', id: version });
    await recordVersion(db, { stationId, version, sentAt });
  },
};
