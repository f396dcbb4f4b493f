import { compositeSchedule, stationSchedule } from '@evander/ocpp';
import type { ChargingProfile, InstalledProfile, Requests, Responses } from '@evander/ocpp';
import type { Connectors, StationContext } from '../context/station-context.ts';
import type { Session } from './session.ts';

/** The parts of a connector that charging profiles use. */
type ProfiledConnector = {
  readonly id: number;
  readonly session: Pick<Session, 'transactionId' | 'record'> | undefined;
};

/** Parts of the station that charging profiles use. */
export type ChargingProfilesContext = StationContext & Connectors<ProfiledConnector>;

type ProfileStatus = Responses['SetChargingProfile']['status'];

/** The station's limit without a profile: three phases of a 22 kW connector. */
const UNCONSTRAINED = { A: 32, W: 22_080 };

/** The installed charging profiles (1.6 §3.13). */
export class ChargingProfiles {
  readonly #station: ChargingProfilesContext;
  #installed: InstalledProfile[] = [];

  constructor(station: ChargingProfilesContext) {
    this.#station = station;
  }

  get installed(): readonly InstalledProfile[] {
    return this.#installed;
  }

  /** §5.16: replaces a profile with the same id, or with the same purpose and level on a connector. */
  set({ connectorId, csChargingProfiles: profile }: Requests['SetChargingProfile']): ProfileStatus {
    const connector = this.#station.findConnector(connectorId);
    const { chargingProfilePurpose: purpose, transactionId } = profile;
    if (!connector || !this.canTake(profile) || !this.#hasPlace({ connectorId, profile })) return 'Rejected';
    if (purpose !== 'TxProfile' && transactionId !== undefined) return 'Rejected';
    if (purpose === 'ChargePointMaxProfile' && connectorId !== 0) return 'Rejected';
    if (purpose === 'TxProfile') {
      const running = connector.session?.transactionId;
      if (running === undefined || (transactionId !== undefined && transactionId !== running))
        return 'Rejected';
    }
    this.add({ connectorId, profile });
    return 'Accepted';
  }

  /** Installs a profile that has already been checked. */
  add(one: InstalledProfile): void {
    this.#installed = [...this.#installed.filter((other) => !isReplaced(other, one)), one];
  }

  /** Whether the station can follow the profile. */
  canTake(profile: ChargingProfile): boolean {
    const { configuration } = this.#station;
    const { chargingSchedule, stackLevel } = profile;
    const { chargingRateUnit, chargingSchedulePeriod: periods } = chargingSchedule;
    const units = configuration.list('ChargingScheduleAllowedChargingRateUnit');
    return (
      units.includes(chargingRateUnit === 'A' ? 'Current' : 'Power') &&
      stackLevel >= 0 &&
      stackLevel <= configuration.integer('ChargeProfileMaxStackLevel') &&
      periods.length <= configuration.integer('ChargingScheduleMaxPeriods') &&
      isInOrder(profile)
    );
  }

  /** A replaced profile frees its place. */
  #hasPlace(one: InstalledProfile): boolean {
    const others = this.#installed.filter((other) => !isReplaced(other, one));
    return others.length < this.#station.configuration.integer('MaxChargingProfilesInstalled');
  }

  /** Errata §3.25: clears by id alone, or all that match the other fields; without fields it clears all. */
  clear(filter: Requests['ClearChargingProfile']): Responses['ClearChargingProfile']['status'] {
    const left = this.#installed.filter((one) => !fits(one, filter));
    const isChanged = left.length < this.#installed.length;
    this.#installed = left;
    return isChanged ? 'Accepted' : 'Unknown';
  }

  /** Errata §3.37: the profiles of a transaction end with it. */
  endTransaction(connectorId: number): void {
    this.#installed = this.#installed.filter(
      (one) => one.connectorId !== connectorId || one.profile.chargingProfilePurpose !== 'TxProfile',
    );
  }

  /** §5.7: the connector's limits from now on; connector 0 is the sum of all connectors. */
  composite(request: Requests['GetCompositeSchedule']): Responses['GetCompositeSchedule'] {
    const { connectorId, duration, chargingRateUnit: unit = 'A' } = request;
    const connector = this.#station.findConnector(connectorId);
    if (!connector) return { status: 'Rejected' };
    const start = wholeSecond(this.#station.timestamp());
    const window = { start, durationSeconds: duration, unit, unconstrained: UNCONSTRAINED[unit] };
    const chargingSchedulePeriod =
      connectorId === 0
        ? stationSchedule(this.#installed, { ...window, connectors: this.#station.connectors.map(charging) })
        : compositeSchedule(this.#installed, { ...window, ...charging(connector) });
    return {
      status: 'Accepted',
      connectorId,
      scheduleStart: start.toISOString(),
      chargingSchedule: { duration, chargingRateUnit: unit, chargingSchedulePeriod },
    };
  }
}

/** A connector with the transaction that its profiles apply to. */
function charging({ id: connectorId, session }: ProfiledConnector) {
  if (session?.transactionId === undefined) return { connectorId };
  const startedAt = wholeSecond(session.record.startedAt);
  return { connectorId, transaction: { transactionId: session.transactionId, startedAt } };
}

// §5.16.4, errata §3.45 and §3.56.
function isInOrder({
  chargingProfileKind: kind,
  recurrencyKind,
  chargingSchedule,
}: ChargingProfile): boolean {
  const { startSchedule, chargingSchedulePeriod: periods } = chargingSchedule;
  const isAscending = periods.every(
    ({ startPeriod }, at) => startPeriod > (periods[at - 1]?.startPeriod ?? -1),
  );
  return (
    periods[0]?.startPeriod === 0 &&
    isAscending &&
    (recurrencyKind !== undefined) === (kind === 'Recurring') &&
    (startSchedule === undefined ? kind !== 'Recurring' : kind !== 'Relative')
  );
}

// Schedules have a resolution of seconds: one that begins within this second begins with it.
function wholeSecond(timestamp: string): Date {
  const time = new Date(timestamp);
  time.setUTCMilliseconds(0);
  return time;
}

function isReplaced(old: InstalledProfile, by: InstalledProfile): boolean {
  if (old.profile.chargingProfileId === by.profile.chargingProfileId) return true;
  return (
    old.connectorId === by.connectorId &&
    old.profile.chargingProfilePurpose === by.profile.chargingProfilePurpose &&
    old.profile.stackLevel === by.profile.stackLevel
  );
}

function fits({ connectorId, profile }: InstalledProfile, filter: Requests['ClearChargingProfile']): boolean {
  if (filter.id !== undefined) return filter.id === profile.chargingProfileId;
  return (
    (filter.connectorId ?? connectorId) === connectorId &&
    (filter.chargingProfilePurpose ?? profile.chargingProfilePurpose) === profile.chargingProfilePurpose &&
    (filter.stackLevel ?? profile.stackLevel) === profile.stackLevel
  );
}
