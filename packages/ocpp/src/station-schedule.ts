import { roundLimit } from './charging-rate.ts';
import { compositeSchedule } from './composite-schedule.ts';
import type { CompositePeriod, CompositeRequest, InstalledProfile } from './composite-schedule.ts';

export interface StationScheduleRequest extends Omit<CompositeRequest, 'connectorId' | 'transaction'> {
  /** All connectors of the station, with their transactions. */
  connectors: readonly Pick<CompositeRequest, 'connectorId' | 'transaction'>[];
  /** Limit of a connector without a profile, in the requested unit. */
  unconstrained: number;
}

/**
 * The power or current that the profiles together allow a station to draw (GetCompositeSchedule for connector 0, SC.15): the sum over its
 * connectors, or the limit of its ChargePointMaxProfiles if that is lower (smart-charging.md §5, 9). The periods are as in
 * `compositeSchedule`.
 */
export function stationSchedule(
  installed: readonly InstalledProfile[],
  { connectors, unconstrained, ...window }: StationScheduleRequest,
): CompositePeriod[] {
  const isOfStation = ({ profile }: InstalledProfile): boolean =>
    profile.chargingProfilePurpose === 'ChargePointMaxProfile';
  const stationLimit = compositeSchedule(installed.filter(isOfStation), {
    ...window,
    connectorId: 0,
    unconstrained: Infinity,
  });
  const ofConnectors = installed.filter((one) => !isOfStation(one));
  const parts = connectors.map((connector) =>
    compositeSchedule(ofConnectors, { ...window, ...connector, unconstrained }),
  );
  const starts = new Set(
    [stationLimit, ...parts].flatMap((periods) => periods.map(({ startPeriod }) => startPeriod)),
  );
  const periods: CompositePeriod[] = [];
  for (const startPeriod of [...starts].sort((a, b) => a - b)) {
    const sum = sumOf(parts.map((part) => periodAt(part, startPeriod)));
    const whole = periodAt(stationLimit, startPeriod);
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

// Connectors that charge on different numbers of phases have no common number.
function sumOf(limits: Limit[]): Limit {
  // Without connectors their consumption is unknown.
  if (limits.length === 0) return { limit: Infinity };
  const limit = limits.reduce((sum, one) => sum + one.limit, 0);
  const [first, ...others] = limits.map(({ numberPhases }) => numberPhases);
  const isCommon = first !== undefined && others.every((phases) => phases === first);
  return { limit: limit === Infinity ? limit : roundLimit(limit), ...(isCommon && { numberPhases: first }) };
}
