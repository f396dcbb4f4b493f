import type { Requests } from '@evander/ocpp';

/** Why a session ends; absent means Local. */
export type StopReason = NonNullable<Requests['StopTransaction']['reason']>;

/** How a session ends. */
export type StopOptions = {
  /** The samples travel in the StopTransaction as well, and the last one only there. */
  withTransactionData?: boolean;
  /** The tag that stops, when one does. */
  idTag?: string;
};

/** A whole session: what the driver and the car do. */
export type ChargeSessionOptions = {
  connectorId?: number;
  idTag: string;
  /** How many periodic samples; then the car is full. */
  meterValues?: number;
  /** Charging time between two samples; the wait is this divided by the station's speed. */
  intervalMs?: number;
  /** What the car takes. Without it: what its power gives in meterValues × intervalMs. */
  energyWh?: number;
  /** Ask the manager about the tag first; a refused tag then starts nothing. */
  authorize?: boolean;
  reason?: StopReason;
  withTransactionData?: boolean;
};
