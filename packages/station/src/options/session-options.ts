import type { Requests } from '@evander/ocpp';

/** Why a session ends; absent means Local. */
export type StopReason = NonNullable<Requests['StopTransaction']['reason']>;

/** How a session ends. */
export type StopOptions = {
  /** The StopTransaction includes the samples as well, and only it has the last one. */
  withTransactionData?: boolean;
  /** The tag that stops the session, if any. */
  idTag?: string;
};

/** A complete session: the actions of driver and car. */
export type ChargeSessionOptions = {
  connectorId?: number;
  idTag: string;
  /** Number of periodic samples; then the car is full. */
  meterValues?: number;
  /** Charging time between two samples; the actual wait is divided by the station's speed. */
  intervalMs?: number;
  /** The car's energy demand. Default: the energy at its power over meterValues × intervalMs. */
  energyWh?: number;
  /** Whether to ask the manager about the tag first; a refused tag starts nothing. */
  authorize?: boolean;
  reason?: StopReason;
  withTransactionData?: boolean;
};
