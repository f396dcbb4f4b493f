import { parseDateTime } from '@evander/ocpp';
import * as localLists from '../../store/local-lists.ts';
import type { Message } from '../message.ts';

const DAY_MS = 86_400_000;
const FIRST_PLAUSIBLE = Date.UTC(2010, 0, 1);

export const statusNotification: Message<'StatusNotification'> = {
  async handle(request, { stationId, receivedAt, database, writer }) {
    await writer.statuses.add([
      {
        stationId,
        connectorId: request.connectorId,
        status: request.status,
        errorCode: request.errorCode,
        info: request.info ?? null,
        vendorId: request.vendorId ?? null,
        vendorErrorCode: request.vendorErrorCode ?? null,
        statusAt: statusTime(request.timestamp, receivedAt),
        receivedAt,
      },
    ]);
    if (request.connectorId === 0 && request.errorCode === 'LocalListConflict')
      await localLists.requireFull(database, stationId, receivedAt);
    return {};
  },
};

// A clock that is not set yet, or far ahead, must not hide the statuses that come after it: the time of receipt stands in for it.
function statusTime(timestamp: string | undefined, receivedAt: Date): Date {
  const sent = timestamp === undefined ? undefined : parseDateTime(timestamp);
  if (!sent || sent.getTime() < FIRST_PLAUSIBLE || sent.getTime() > receivedAt.getTime() + DAY_MS)
    return receivedAt;
  return sent;
}
