import type { SendLocalListRequest } from '@evander/ocpp';
import type { Db } from '../database/database.ts';
import { isAfter } from '../stations/station-clock.ts';
import * as localListEntries from './local-list-entries.store.ts';
import * as localLists from './local-lists.store.ts';
import type { LocalList } from './local-lists.store.ts';

export interface ListAnswer {
  stationId: string;
  request: SendLocalListRequest;
  status: string;
  sentAt: Date;
}

/** Records the answer to a SendLocalList: the station has what it accepted (SendLocalList.1, SendLocalList.4). */
export async function recordAnswer(db: Db, answer: ListAnswer): Promise<void> {
  const { stationId, request, sentAt, status } = answer;
  const known = await localLists.lock(db, stationId);
  if (!known) return;
  if (isAfter(known.sentAt, sentAt)) return recordLateAnswer(db, known, answer);
  const list = { ...known, sentAt, lastStatus: status, lastUpdateType: request.updateType };
  if (status === 'NotSupported') {
    await localLists.put(db, stationId, list);
    return recordVersion(db, { stationId, version: -1, sentAt });
  }
  if (status !== 'Accepted') {
    const isLost = request.updateType === 'Differential';
    return localLists.put(db, stationId, isLost ? needingFull(list, sentAt) : list);
  }
  await applyEntries(db, stationId, request);
  await localLists.put(db, stationId, accepted(list, answer));
}

function accepted(list: LocalList, { request, sentAt }: ListAnswer): LocalList {
  const { listVersion, updateType } = request;
  const merged = { ...list, mirroredVersion: listVersion };
  if (updateType === 'Full') {
    merged.fullAt = sentAt;
    if (!isAfter(list.needsFullSince, sentAt)) merged.needsFullSince = null;
  } else if (list.mirroredVersion === null) {
    // The list that it was applied to is unknown.
    merged.needsFullSince ??= sentAt;
  }
  // If the station has reported its version since, that one counts.
  if (isAfter(list.versionAt, sentAt))
    return merged.version === listVersion ? merged : needingFull(merged, list.versionAt ?? sentAt);
  return { ...merged, version: listVersion, versionAt: sentAt };
}

// A newer list was recorded first. The station may have applied them in either order, so only a Full list makes the entries certain.
async function recordLateAnswer(
  db: Db,
  known: LocalList,
  { stationId, status, sentAt }: ListAnswer,
): Promise<void> {
  if (status !== 'Accepted' || isAfter(known.fullAt, sentAt)) return;
  await localLists.put(db, stationId, needingFull(known, sentAt));
}

async function applyEntries(db: Db, stationId: string, request: SendLocalListRequest): Promise<void> {
  if (request.updateType === 'Full') await localListEntries.clear(db, stationId);
  await localListEntries.merge(db, stationId, request.localAuthorizationList ?? []);
}

/** Records the version that a station reported: 0 is an empty list, -1 means that it does not support lists (ListVersion.1). */
export async function recordVersion(
  db: Db,
  { stationId, version, sentAt }: { stationId: string; version: number; sentAt: Date },
): Promise<void> {
  const known = await localLists.lock(db, stationId);
  if (!known || isAfter(known.versionAt, sentAt)) return;
  const list = { ...known, version, versionAt: sentAt };
  if (version > 0) {
    const isMirrored = version === known.mirroredVersion;
    return localLists.put(db, stationId, isMirrored ? list : needingFull(list, sentAt));
  }
  await localListEntries.clear(db, stationId);
  const hasLost = version === 0 && (known.mirroredVersion ?? 0) > 0;
  const emptied = { ...list, mirroredVersion: version === 0 ? 0 : null };
  await localLists.put(db, stationId, hasLost ? needingFull(emptied, sentAt) : emptied);
}

function needingFull(list: LocalList, since: Date): LocalList {
  return { ...list, needsFullSince: list.needsFullSince ?? since };
}
