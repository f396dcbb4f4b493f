import { roundLimit } from './charging-rate.ts';
import { compositeSchedule } from './composite-schedule.ts';
import type { CompositePeriod, CompositeRequest, InstalledProfile } from './composite-schedule.ts';

export interface StationScheduleRequest extends Omit<CompositeRequest, 'connectorId' | 'transaction'> {
  /** All connectors of the station, with what charges there. */
  connectors: readonly Pick<CompositeRequest, 'connectorId' | 'transaction'>[];
  /** The limit of a connector where no profile sets one, in the unit asked for. */
  unconstrained: number;
}

/**
 * What profiles together allow a station to take from the grid (GetCompositeSchedule for connector 0, SC.15): the sum over its
 * connectors, or what its ChargePointMaxProfiles give where that is less (smart-charging.md §5, 9). Periods as of `compositeSchedule`.
 */
export function stationSchedule(
  installed: readonly InstalledProfile[],
  { connectors, unconstrained, ...window }: StationScheduleRequest,
): CompositePeriod[] {
  const isOfStation = ({ profile }: InstalledProfile): boolean =>
    profile.chargingProfilePurpose === 'ChargePointMaxProfile';
  const most = compositeSchedule(installed.filter(isOfStation), {
    ...window,
    connectorId: 0,
    unconstrained: Infinity,
  });
  const ofConnectors = installed.filter((one) => !isOfStation(one));
  const parts = connectors.map((connector) =>
    compositeSchedule(ofConnectors, { ...window, ...connector, unconstrained }),
  );
  const starts = new Set(
    [most, ...parts].flatMap((periods) => periods.map(({ startPeriod }) => startPeriod)),
  );
  const periods: CompositePeriod[] = [];
  for (const startPeriod of [...starts].sort((a, b) => a - b)) {
    const sum = sumOf(parts.map((part) => periodAt(part, startPeriod)));
    const whole = periodAt(most, startPeriod);
    const { limit, numberPhases } = whole.limit <= sum.limit ? whole : sum;
    const last = periods.at(-1);
    if (last && last.limit === limit && last.numberPhases === numberPhases) continue;
    periods.push({ startPeriod, limit, ...(numberPhases !== undefined && { numberPhases }) });
  }
  return periods;
}

type Limit = Omit<CompositePeriod, 'startPeriod'>;

function periodAt(periods: CompositePeriod[], second: number): Limit {
  return periods.findLast(({ startPeriod }) => startPeriod <= second) ?? { limit: Infinity };
}

// Connectors that charge on different phases have no number of phases together.
function sumOf(limits: Limit[]): Limit {
  // Without connectors nothing is known of what they take.
  if (limits.length === 0) return { limit: Infinity };
  const limit = limits.reduce((sum, one) => sum + one.limit, 0);
  const [first, ...others] = limits.map(({ numberPhases }) => numberPhases);
  const isCommon = first !== undefined && others.every((phases) => phases === first);
  return { limit: limit === Infinity ? limit : roundLimit(limit), ...(isCommon && { numberPhases: first }) };
}
