import { parseDateTime } from '@evander/ocpp';
import * as localLists from '../../local-lists/local-lists.store.ts';
import type { ConnectorStatus } from '../../stations/connectors.store.ts';
import { isSet } from '../../stations/station-clock.ts';
import type { Message } from '../message.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

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
        ...timesOf(request.timestamp, receivedAt),
        receivedAt,
      },
    ]);
    if (request.connectorId === 0 && request.errorCode === 'LocalListConflict')
      await localLists.requireFull(database, stationId, receivedAt);
    return {};
  },
};

// A clock that is not set or far ahead must not hide later statuses, so the time of receipt replaces such a timestamp. As that time differs
// for a repeat, the station's own timestamp is stored too, to detect repeats; also if it is only slightly ahead, as a repeat arrives later.
function timesOf(
  timestamp: string | undefined,
  receivedAt: Date,
): Pick<ConnectorStatus, 'statusAt' | 'stationTime'> {
  const sent = timestamp === undefined ? undefined : parseDateTime(timestamp);
  const aheadMs = sent ? sent.getTime() - receivedAt.getTime() : Infinity;
  const isPlausible = sent && isSet(sent) && aheadMs <= DAY_MS;
  return {
    statusAt: isPlausible ? sent : receivedAt,
    stationTime: isPlausible && aheadMs <= MINUTE_MS ? null : (timestamp ?? null),
  };
}
