import type { StationContext } from '../context/station-context.ts';
import type { Violation } from '../context/station-events.ts';

/** Where violations are kept. */
export type ViolationsContext = StationContext & { readonly violations: Violation[] };

/** Keeps what the manager sent against the specification, and tells of it. */
export function recordViolation(station: ViolationsContext, violation: Violation): void {
  station.violations.push(violation);
  station.log(`the manager sent what it should not: ${violation.fault}`);
  station.emit('violation', violation);
}
