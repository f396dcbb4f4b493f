import { compositeSchedule, stationSchedule } from '@evander/ocpp';
import type { ChargingProfile, InstalledProfile, Requests, Responses } from '@evander/ocpp';
import type { Connectors, StationContext } from '../context/station-context.ts';
import type { Session } from './session.ts';

/** A connector as charging profiles see it. */
type ProfiledConnector = {
  readonly id: number;
  readonly session: Pick<Session, 'transactionId' | 'record'> | undefined;
};

/** What charging profiles need of their station. */
export type ChargingProfilesContext = StationContext & Connectors<ProfiledConnector>;

type ProfileStatus = Responses['SetChargingProfile']['status'];

/** What the station allows where no profile limits it: three phases of a 22 kW connector. */
const UNCONSTRAINED = { A: 32, W: 22_080 };

/** The charging profiles that are installed (1.6 §3.13). */
export class ChargingProfiles {
  readonly #station: ChargingProfilesContext;
  #installed: InstalledProfile[] = [];

  constructor(station: ChargingProfilesContext) {
    this.#station = station;
  }

  get installed(): readonly InstalledProfile[] {
    return this.#installed;
  }

  /** §5.16: the same id, or the same purpose and level on a connector, replaces. */
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

  /** Installs a profile that was checked before. */
  add(one: InstalledProfile): void {
    this.#installed = [...this.#installed.filter((other) => !isReplaced(other, one)), one];
  }

  /** Is it a profile that the station could follow? */
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

  /** What it replaces makes room for it. */
  #hasPlace(one: InstalledProfile): boolean {
    const others = this.#installed.filter((other) => !isReplaced(other, one));
    return others.length < this.#station.configuration.integer('MaxChargingProfilesInstalled');
  }

  /** Errata §3.25: an id alone, or all that fit the other fields; no field clears all. */
  clear(filter: Requests['ClearChargingProfile']): Responses['ClearChargingProfile']['status'] {
    const left = this.#installed.filter((one) => !fits(one, filter));
    const isChanged = left.length < this.#installed.length;
    this.#installed = left;
    return isChanged ? 'Accepted' : 'Unknown';
  }

  /** Errata §3.37: a transaction takes its profiles with it. */
  endTransaction(connectorId: number): void {
    this.#installed = this.#installed.filter(
      (one) => one.connectorId !== connectorId || one.profile.chargingProfilePurpose !== 'TxProfile',
    );
  }

  /** §5.7: what the connector may take from now on; connector 0 is all of them together. */
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

/** A connector with the transaction that its profiles count for. */
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

// Schedules count in seconds: one that begins within this second begins with it.
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
