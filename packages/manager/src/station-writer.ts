import * as authorizations from './authorization/authorizations.store.ts';
import { Batch } from './database/batch.ts';
import type { BatchOptions } from './database/batch.ts';
import type { Database, Db } from './database/database.ts';
import * as frames from './frames/frames.store.ts';
import { recordBoots } from './presence/boot-batch.store.ts';
import type { BootAnswer } from './presence/boot-batch.store.ts';
import { recordConnections } from './presence/connection-batch.store.ts';
import type { ToldConnection } from './presence/connection-batch.store.ts';
import * as reservationStatuses from './reservations/reservation-statuses.store.ts';
import type { Boot } from './stations/boots.store.ts';
import * as connectors from './stations/connectors.store.ts';
import * as meterValues from './transactions/meter-values.store.ts';
import * as registerReadings from './transactions/register-readings.store.ts';

/** The data that is written in batches. */
export interface Writer {
  authorizations: Batch<authorizations.Authorization>;
  boots: Batch<Boot, BootAnswer>;
  connections: Batch<ToldConnection>;
  frames: Batch<frames.FrameRecord>;
  meterValues: Batch<meterValues.Sample>;
  statuses: Batch<connectors.ConnectorStatus>;
}

/** Creates the batches; they call `onWritten` after each commit. */
export function createWriter(database: Database, onWritten?: (table: string, rows: number) => void): Writer {
  const batch = <Row, Result = never>(
    table: string,
    options: Pick<BatchOptions<Row, Result>, 'maxRows' | 'keyOf' | 'write'>,
  ): Batch<Row, Result> =>
    new Batch({ ...options, name: table, onWritten: (rows) => onWritten?.(table, rows) });
  return {
    authorizations: batch('authorizations', {
      maxRows: 1000,
      write: (rows) => authorizations.record(database, rows),
    }),
    boots: batch('stations', {
      maxRows: 500,
      keyOf: ({ stationId }) => stationId,
      write: (rows) => recordBoots(database, rows),
    }),
    connections: batch('connections', {
      maxRows: 500,
      keyOf: ({ connection }) => connection.stationId,
      write: (rows) => recordConnections(database, rows),
    }),
    frames: batch('frames', { maxRows: 1000, write: (rows) => frames.record(database, rows) }),
    // Not in one database transaction: it would deadlock with a stop that has the same samples.
    meterValues: batch('meter_values', {
      maxRows: 5000,
      write: async (rows) => {
        await meterValues.record(database, rows);
        await registerReadings.record(database, rows);
      },
    }),
    statuses: batch('connector_statuses', { maxRows: 1000, write: (rows) => recordStatuses(database, rows) }),
  };
}

async function recordStatuses(database: Database, rows: connectors.ConnectorStatus[]): Promise<void> {
  const write = async (db: Db, statuses: connectors.ConnectorStatus[]): Promise<void> => {
    await connectors.record(db, statuses);
    await reservationStatuses.apply(db, statuses);
  };
  if (rows.every(({ stationTime }) => stationTime === null)) return write(database, rows);
  // A repeat of these is ignored entirely, so all their effects are written together.
  await database.transaction(async (db) => write(db, await connectors.withoutRepeats(db, rows)));
}
