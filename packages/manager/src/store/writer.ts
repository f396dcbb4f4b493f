import * as authorizations from './authorizations.ts';
import { Batch } from './batch.ts';
import * as connectors from './connectors.ts';
import type { Database } from './db.ts';
import * as frames from './frames.ts';
import * as meterValues from './meter-values.ts';
import * as reservations from './reservations.ts';

/** The tables that are written in batches. */
export interface Writer {
  authorizations: Batch<authorizations.Authorization>;
  frames: Batch<frames.FrameRecord>;
  meterValues: Batch<meterValues.Sample>;
  statuses: Batch<connectors.ConnectorStatus>;
}

export function createWriter(database: Database): Writer {
  return {
    authorizations: new Batch({ maxRows: 1000, write: (rows) => authorizations.record(database, rows) }),
    frames: new Batch({ maxRows: 1000, write: (rows) => frames.record(database, rows) }),
    meterValues: new Batch({ maxRows: 5000, write: (rows) => meterValues.record(database, rows) }),
    statuses: new Batch({
      maxRows: 1000,
      write: async (rows) => {
        await connectors.record(database, rows);
        await reservations.onStatuses(database, rows);
      },
    }),
  };
}
