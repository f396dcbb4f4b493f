import { idTagInfoOf } from '../../authorization/authorize.ts';
import * as tags from '../../authorization/tags.store.ts';
import type { Message } from '../message.ts';

export const authorize: Message<'Authorize'> = {
  async handle({ idTag }, { stationId, receivedAt, now, database, writer }) {
    const idTagInfo = idTagInfoOf(await tags.find(database, idTag), now());
    await writer.authorizations.add([{ stationId, idTag, status: idTagInfo.status, receivedAt }]);
    return { idTagInfo };
  },
};
