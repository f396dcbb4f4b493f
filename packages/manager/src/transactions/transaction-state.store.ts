/** Flags that depend on the stop of a transaction; they are evaluated again if another stop replaces it. */
export const STOP_FLAGS = [
  'meterStopBelowStart',
  'stopBeforeStart',
  'stoppedByOtherTag',
  'stopInferred',
  'stopAssigned',
] as const;

/**
 * Anomalies for an operator to review. `supersededByStart`: a new start on the connector arrived before the stop, which is lost or late;
 * `clockImplausible`: the station's time of the start or the stop is unreadable, before 2010, or more than 30 minutes ahead of its receipt.
 * Then anomalies of the stop: `stopInferred` and `stopAssigned` if it arrived without the transaction's id and Evander or an operator
 * assigned it. The database evaluates the meter: `meterStartImplausible` if samples show that energy cannot count from meterStart,
 * `meterStopImplausible` and `registerImplausible` for more energy than a connector can deliver in the time, `registerBackwards` for a
 * reading below an earlier one.
 */
export const TRANSACTION_FLAGS = [
  'supersededByStart',
  ...STOP_FLAGS,
  'clockImplausible',
  'meterStartImplausible',
  'meterStopImplausible',
  'meterNegative',
  'registerBackwards',
  'registerImplausible',
] as const;
export type TransactionFlag = (typeof TRANSACTION_FLAGS)[number];

/**
 * `stopped`: by its station, whatever its state was before; `lost`: the next start on its connector arrived without its stop; `closed`: by
 * an operator.
 */
export const TRANSACTION_STATES = ['open', 'stopped', 'lost', 'closed'] as const;
export type TransactionState = (typeof TRANSACTION_STATES)[number];

/** The sources of a transaction's energy, best first; see set_energy in migrations/0011-transactions.sql. */
export const ENERGY_SOURCES = ['meterStop', 'transactionEnd', 'closure', 'register'] as const;
export type EnergySource = (typeof ENERGY_SOURCES)[number];
