import { compositeSchedule, stationSchedule } from '@evander/ocpp';
import type { CompositePeriod } from '@evander/ocpp';
import * as configuration from '../configuration/configuration.store.ts';
import type { Db } from '../database/database.ts';
import * as connectors from '../stations/connectors.store.ts';
import type { ChargingConnector } from '../stations/connectors.store.ts';
import * as transactions from '../transactions/transactions.store.ts';
import * as chargingProfileList from './charging-profile-list.store.ts';

/** Where and when to calculate the expected composite schedule, in which unit. */
export interface Window {
  stationId: string;
  /** 0: the station as a whole. */
  connectorId: number;
  start: Date;
  durationSeconds: number;
  unit: 'A' | 'W';
}

export interface Expectation extends Window {
  /** Does the calculation assume that a transaction starts with the schedule on each connector without one? */
  assumesTransaction: boolean;
  /** The running transaction on the connector: TxProfiles and TxDefaultProfiles apply only to it. Null without one and for connector 0. */
  transactionId: number | null;
  /** A limit of Infinity means that no profile applies. */
  periods: CompositePeriod[];
}

/** A station may report any number of connectors; more than this many are ignored. */
const MAX_CONNECTORS = 1000;

/** Id of the assumed transaction, which no TxProfile names. */
const ASSUMED_ID = -1;

/**
 * The schedule of a connector, or of the whole station, according to the profiles that the station is known to have accepted: by the
 * specification and, if a connector has no transaction, also as calculated by stations that apply TxDefaultProfiles anyway
 * (smart-charging.md §5, 8).
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
