import { compositeSchedule, stationSchedule } from '@evander/ocpp';
import type { CompositePeriod } from '@evander/ocpp';
import * as chargingProfileList from './store/charging-profile-list.ts';
import * as configuration from './store/configuration.ts';
import * as connectors from './store/connectors.ts';
import type { Db } from './store/db.ts';
import * as transactions from './store/transactions.ts';

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
  /** What runs on the connector; TxProfiles and TxDefaultProfiles count only for that. Null for connector 0. */
  transactionId: number | null;
  /** Infinity: no profile limits. */
  periods: CompositePeriod[];
}

/** A station may tell any number of connectors; more than these make no difference. */
const MOST_CONNECTORS = 1000;

/** What a connector, or the whole station, may take by the profiles that it has accepted, as far as we know. */
export async function expectedSchedule(db: Db, window: Window): Promise<Expectation> {
  const { stationId, connectorId } = window;
  const installed = await chargingProfileList.installed(db, stationId);
  const request = { ...window, unconstrained: Infinity };
  if (connectorId === 0) {
    const told = (await configuration.integer(db, stationId, 'NumberOfConnectors')) ?? 0;
    const all = await connectors.charging(db, stationId, Math.min(told, MOST_CONNECTORS));
    return {
      ...window,
      transactionId: null,
      periods: stationSchedule(installed, { ...request, connectors: all }),
    };
  }
  const transaction = await transactions.findOpen(db, { stationId, connectorId });
  const periods = compositeSchedule(installed, { ...request, ...(transaction && { transaction }) });
  return { ...window, transactionId: transaction?.transactionId ?? null, periods };
}
