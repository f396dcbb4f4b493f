import { compositeSchedule, stationSchedule } from '@evander/ocpp';
import type { CompositePeriod } from '@evander/ocpp';
import * as configuration from '../configuration/configuration.store.ts';
import type { Db } from '../database/database.ts';
import * as connectors from '../stations/connectors.store.ts';
import type { ChargingConnector } from '../stations/connectors.store.ts';
import * as transactions from '../transactions/transactions.store.ts';
import * as chargingProfileList from './charging-profile-list.store.ts';

/** A composite schedule to be expected. */
export interface Window {
  stationId: string;
  /** 0: the station as a whole. */
  connectorId: number;
  start: Date;
  durationSeconds: number;
  unit: 'A' | 'W';
}

export interface Expectation extends Window {
  /** Is it reckoned as if a transaction began with it on each connector without one? */
  assumesTransaction: boolean;
  /** What runs on the connector; TxProfiles and TxDefaultProfiles count only for that. Null for connector 0. */
  transactionId: number | null;
  /** Infinity: no profile limits. */
  periods: CompositePeriod[];
}

/** A station may tell any number of connectors; more than these make no difference. */
const MAX_CONNECTORS = 1000;

/** A transaction that does not run: no TxProfile names it. */
const ASSUMED_ID = -1;

/**
 * What a connector, or the whole station, may take by the profiles that it has accepted, as far as we know: by the specification, and,
 * where a connector has no transaction, also as stations reckon that apply TxDefaultProfiles all the same (smart-charging.md §5, 8).
 */
export async function expectedSchedules(
  db: Db,
  window: Window,
  assumedStart: Date,
): Promise<{ specified: Expectation; assumed?: Expectation }> {
  const { stationId, connectorId } = window;
  const installed = await chargingProfileList.installed(db, stationId);
  const request = { ...window, unconstrained: Infinity };
  const all = await connectorsOf(db, window);
  const busy = all.map((one) => ({
    transaction: { transactionId: ASSUMED_ID, startedAt: assumedStart },
    ...one,
  }));
  const periods = (list: ChargingConnector[]): CompositePeriod[] =>
    connectorId === 0
      ? stationSchedule(installed, { ...request, connectors: list })
      : compositeSchedule(installed, { ...request, ...list[0] });
  const transactionId = (connectorId > 0 && all[0]?.transaction?.transactionId) || null;
  const specified = { ...window, transactionId, assumesTransaction: false, periods: periods(all) };
  if (all.every(({ transaction }) => transaction)) return { specified };
  return { specified, assumed: { ...specified, assumesTransaction: true, periods: periods(busy) } };
}

async function connectorsOf(db: Db, { stationId, connectorId }: Window): Promise<ChargingConnector[]> {
  if (connectorId === 0) {
    const count = (await configuration.integer(db, stationId, 'NumberOfConnectors')) ?? 0;
    return connectors.charging(db, stationId, Math.min(count, MAX_CONNECTORS));
  }
  const transaction = await transactions.findOpen(db, { stationId, connectorId });
  return [{ connectorId, ...(transaction && { transaction }) }];
}
