import { compositeSchedule } from '@evander/ocpp';
import type { CompositePeriod } from '@evander/ocpp';
import * as chargingProfileList from './store/charging-profile-list.ts';
import type { Db } from './store/db.ts';
import * as transactions from './store/transactions.ts';

/** A composite schedule to be expected. */
export interface Window {
  stationId: string;
  /** 0: the station as a whole, of which only its ChargePointMaxProfiles are known to say something. */
  connectorId: number;
  start: Date;
  durationSeconds: number;
  unit: 'A' | 'W';
}

export interface Expectation extends Window {
  /** What runs on the connector; TxProfiles and TxDefaultProfiles count only for that. */
  transactionId: number | null;
  /** Infinity: no profile limits. */
  periods: CompositePeriod[];
}

/** What a connector may take by the profiles that its station has accepted, as far as we know. */
export async function expectedSchedule(db: Db, window: Window): Promise<Expectation> {
  const { stationId, connectorId } = window;
  const installed = await chargingProfileList.installed(db, stationId);
  const transaction =
    connectorId > 0 ? await transactions.findOpen(db, { stationId, connectorId }) : undefined;
  const periods = compositeSchedule(installed, {
    ...window,
    ...(transaction && { transaction }),
    unconstrained: Infinity,
  });
  return { ...window, transactionId: transaction?.transactionId ?? null, periods };
}
