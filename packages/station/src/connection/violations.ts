import type { StationContext } from '../context/station-context.ts';
import type { Violation } from '../context/station-events.ts';

/** The station's list of violations. */
export type ViolationsContext = StationContext & { readonly violations: Violation[] };

/** Records and reports an invalid message of the manager. */
export function recordViolation(station: ViolationsContext, violation: Violation): void {
  station.violations.push(violation);
  station.log(`the manager sent what it should not: ${violation.fault}`);
  station.emit('violation', violation);
}
