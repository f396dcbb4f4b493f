import * as authorizations from './authorizations.ts';
import { Batch } from './batch.ts';
import * as connectors from './connectors.ts';
import type { Database, Db } from './db.ts';
import * as frames from './frames.ts';
import * as meterValues from './meter-values.ts';
import * as registerReadings from './register-readings.ts';
import * as reservationStatuses from './reservation-statuses.ts';

/** The tables that are written in batches. */
export interface Writer {
  authorizations: Batch<authorizations.Authorization>;
  frames: Batch<frames.FrameRecord>;
  meterValues: Batch<meterValues.Sample>;
  statuses: Batch<connectors.ConnectorStatus>;
}

/** The batches; `onWritten` hears of each commit. */
export function createWriter(database: Database, onWritten?: (table: string, rows: number) => void): Writer {
  const batch = <Row>(table: string, maxRows: number, write: (rows: Row[]) => Promise<void>): Batch<Row> =>
    new Batch({ name: table, maxRows, write, onWritten: (rows) => onWritten?.(table, rows) });
  return {
    authorizations: batch('authorizations', 1000, (rows) => authorizations.record(database, rows)),
    frames: batch('frames', 1000, (rows) => frames.record(database, rows)),
    // Not in one database transaction: a stop that has the same samples would wait for this one, and this one for the stop.
    meterValues: batch('meter_values', 5000, async (rows) => {
      await meterValues.record(database, rows);
      await registerReadings.record(database, rows);
    }),
    statuses: batch('connector_statuses', 1000, (rows) => recordStatuses(database, rows)),
  };
}

async function recordStatuses(database: Database, rows: connectors.ConnectorStatus[]): Promise<void> {
  const write = async (db: Db, statuses: connectors.ConnectorStatus[]): Promise<void> => {
    await connectors.record(db, statuses);
    await reservationStatuses.apply(db, statuses);
  };
  if (rows.every(({ stationTime }) => stationTime === null)) return write(database, rows);
  // A repeat of these is passed over as a whole, so all that they bring is kept together.
  await database.transaction(async (db) => write(db, await connectors.withoutRepeats(db, rows)));
}
