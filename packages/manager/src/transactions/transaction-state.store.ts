/** What the stop of a transaction may be flagged with; another stop in its place is judged on its own. */
export const STOP_FLAGS = [
  'meterStopBelowStart',
  'stopBeforeStart',
  'stoppedByOtherTag',
  'stopInferred',
  'stopAssigned',
] as const;

/**
 * What an operator should look at. `supersededByStart`: a new start came on its connector before its stop did, which is lost or
 * late; `clockImplausible`: the station's time of the start or of the stop cannot be read, is from before 2010, or is more than 30 minutes
 * ahead of its receipt; then what is odd about the stop: `stopInferred`, `stopAssigned` when it came without the id of the transaction,
 * and Evander or an operator found out that it is meant. The database itself judges the meter: `meterStartImplausible` when samples say
 * that energy cannot count from meterStart, `meterStopImplausible` and `registerImplausible` for more than a connector can give in the
 * time, `registerBackwards` for a reading below an older one.
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
 * `stopped`: by its station, whatever was thought of it before; `lost`: the next start on its connector came without its stop;
 * `closed`: by an operator.
 */
export const TRANSACTION_STATES = ['open', 'stopped', 'lost', 'closed'] as const;
export type TransactionState = (typeof TRANSACTION_STATES)[number];

/** Where a transaction's energy is from, best first; see set_energy in migrations/0011-transactions.sql. */
export const ENERGY_SOURCES = ['meterStop', 'transactionEnd', 'closure', 'register'] as const;
export type EnergySource = (typeof ENERGY_SOURCES)[number];
