import type { StartTransactionRequest } from '@evander/ocpp';
import { idTagInfoOf } from '../../authorization/authorize.ts';
import type { IdTagInfo } from '../../authorization/authorize.ts';
import { emaidForms } from '../../authorization/emaid.ts';
import * as tags from '../../authorization/tags.store.ts';
import * as configuration from '../../configuration/configuration.store.ts';
import type { Db } from '../../database/database.ts';
import * as reservations from '../../reservations/reservations.store.ts';
import * as chargingProfiles from '../../smart-charging/charging-profiles.store.ts';
import { readStationTime } from '../../stations/station-clock.ts';
import * as remoteStarts from '../../transactions/remote-starts.store.ts';
import * as transactionEndings from '../../transactions/transaction-endings.store.ts';
import * as transactionProfilesStore from '../../transactions/transaction-profiles.store.ts';
import * as transactions from '../../transactions/transactions.store.ts';
import type { Message } from '../message.ts';

export const startTransaction: Message<'StartTransaction'> = {
  beforeAcceptance: true,
  async handle(request, { stationId, messageId, receivedAt, now, database, log }) {
    const time = readStationTime(request.timestamp, receivedAt);
    const start: transactions.Start = {
      stationId,
      connectorId: request.connectorId,
      idTag: request.idTag,
      meterStartWh: request.meterStart,
      startedAt: time.at,
      unreadableStart: time.unreadable,
      flags: time.isPlausible ? [] : ['clockImplausible'],
      reservationId: reservationIdOf(request),
      messageId,
      receivedAt,
    };
    // Before authorizing: a repeat would count its own transaction and get ConcurrentTx.
    const known = await transactions.findStart(database, start);
    if (known) return known;
    return database.transaction(async (db) => {
      const idTagInfo = await authorizeStart(db, start, now());
      const remoteStart = await remoteStarts.findFor(db, start);
      const remoteStartCommandId = remoteStart?.commandId ?? null;
      const transactionId = await transactions.addStart(db, start, { idTagInfo, remoteStartCommandId });
      if (transactionId === undefined) return addedMeanwhile(db, start);
      for (const lostId of await transactionEndings.endSuperseded(db, start))
        await transactionProfilesStore.removeOfTransaction(db, stationId, lostId);
      if (remoteStart) await addProfile(db, start, { ...remoteStart, transactionId });
      const parentIdTag = idTagInfo.parentIdTag ?? null;
      if (!(await useReservation(db, start, { ...start, parentIdTag, transactionId })))
        log.warn({ reservationId: start.reservationId }, 'a StartTransaction names an unknown reservation');
      return { transactionId, idTagInfo };
    });
  },
};

// Ids are positive. Some stations send 0 or -1 for "none".
function reservationIdOf({ reservationId = 0 }: StartTransactionRequest): number | null {
  return reservationId > 0 ? reservationId : null;
}

async function authorizeStart(db: Db, start: transactions.Start, now: Date): Promise<IdTagInfo> {
  const tag = await tags.find(db, start.idTag);
  const idTagInfo = idTagInfoOf(tag, now);
  const limit = tag?.concurrentTransactionLimit ?? null;
  if (!tag || idTagInfo.status !== 'Accepted' || limit === null) return idTagInfo;
  // A contract may be registered by another form of its eMAID.
  const idTags = [start.idTag, tag.idTag];
  await tags.lock(db, tag.idTag);
  const others = await transactions.countOthers(db, start, [...idTags, ...idTags.flatMap(emaidForms)]);
  return others < limit ? idTagInfo : { ...idTagInfo, status: 'ConcurrentTx' };
}

/** Adds the charging profile of a remote start to its transaction. */
async function addProfile(
  db: Db,
  { stationId, connectorId, receivedAt: setAt }: transactions.Start,
  { commandId, chargingProfile, transactionId }: remoteStarts.RemoteStart & { transactionId: number },
): Promise<void> {
  // A station without smart charging ignores the profile (RemoteStart.6).
  if (!chargingProfile || !(await configuration.mayHaveFeature(db, stationId, 'SmartCharging'))) return;
  const profile = { ...chargingProfile, transactionId };
  await chargingProfiles.add(db, { stationId, connectorId, profile, commandId, setAt });
}

/** False if the start names an unknown reservation; the start is valid all the same (Start.8). */
async function useReservation(
  db: Db,
  { reservationId }: transactions.Start,
  use: reservations.Use,
): Promise<boolean> {
  if (reservationId !== null) return reservations.useNamed(db, reservationId, use);
  await reservations.useUnnamed(db, use);
  return true;
}

async function addedMeanwhile(db: Db, start: transactions.Start): Promise<transactions.StartAnswer> {
  const answer = await transactions.findStart(db, start);
  if (!answer) throw new Error('a start is neither new nor stored');
  return answer;
}
