/**
 * What an operator should look at. `supersededByStart`: a new start came on its connector before its stop did, which is lost or
 * late; the next three say what is odd about the stop. The database itself judges the meter: `meterStartImplausible` when samples say
 * that energy cannot count from meterStart, `meterStopImplausible` and `registerImplausible` for more than a connector can give in the
 * time, `registerBackwards` for a reading below an older one.
 */
export type TransactionFlag =
  | 'supersededByStart'
  | 'meterStopBelowStart'
  | 'stopBeforeStart'
  | 'stoppedByOtherTag'
  | 'meterStartImplausible'
  | 'meterStopImplausible'
  | 'meterNegative'
  | 'registerBackwards'
  | 'registerImplausible';

/**
 * `stopped`: by its station, whatever was thought of it before; `lost`: the next start on its connector came without its stop;
 * `closed`: by an operator.
 */
export const TRANSACTION_STATES = ['open', 'stopped', 'lost', 'closed'] as const;
export type TransactionState = (typeof TRANSACTION_STATES)[number];

/** Where a transaction's energy is from, best first; see migration 0035. */
export const ENERGY_SOURCES = ['meterStop', 'transactionEnd', 'closure', 'register'] as const;
export type EnergySource = (typeof ENERGY_SOURCES)[number];
