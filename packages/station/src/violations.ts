import type { Station } from './station.ts';
import type { Violation } from './station-options.ts';

/** Keeps what the manager sent against the specification, and tells of it. */
export function recordViolation(station: Station, violation: Violation): void {
  station.violations.push(violation);
  station.options.log?.(`${station.stationId} the manager sent what it should not: ${violation.fault}`);
  station.emit('violation', violation);
}
