import type { Requests, Responses } from '@evander/ocpp';
import type { Authorization } from '../authorization/authorization.ts';
import type { AnswerHooks, Connectors, StationContext } from '../context/station-context.ts';
import type { ConnectorStatus } from '../options/connector-status.ts';
import { MAX_TIMER_MS } from '../runtime/wait.ts';

/** Parts of the station that reservations use. */
export type ReservationsContext = StationContext &
  AnswerHooks &
  Connectors<ReservableConnector> & { readonly authorization: Pick<Authorization, 'parentOf'> };

type Reservation = Requests['ReserveNow'];
type ReserveStatus = Responses['ReserveNow']['status'];

/** The parts of a connector that reservations use. */
type ReservableConnector = {
  readonly id: number;
  readonly status: ConnectorStatus;
  readonly isFree: boolean;
  setStatus(status: ConnectorStatus): Promise<void>;
};

/** The station's reservations (1.6 §5.13), which end by time, use, fault or the manager's command. */
export class Reservations {
  readonly #station: ReservationsContext;
  readonly #held = new Map<number, { reservation: Reservation; timer: NodeJS.Timeout }>();

  constructor(station: ReservationsContext) {
    this.#station = station;
    station.closed.addEventListener('abort', () => {
      for (const { timer } of this.#held.values()) clearTimeout(timer);
    });
  }

  /** The current reservations. */
  get held(): Reservation[] {
    return [...this.#held.values()].map(({ reservation }) => reservation);
  }

  /**
   * Reserves a connector, or any connector with connectorId 0; the same reservationId replaces. The status is reported after the answer.
   */
  reserve(reservation: Reservation): ReserveStatus {
    const { reservationId, connectorId, expiryDate } = reservation;
    const refusal = this.#refusalOf(reservation);
    if (refusal) return refusal;
    this.#drop(reservationId);
    const leftMs = Math.max(
      0,
      new Date(expiryDate).getTime() - new Date(this.#station.timestamp()).getTime(),
    );
    const timer = setTimeout(() => this.end(reservationId), Math.min(leftMs, MAX_TIMER_MS));
    this.#held.set(reservationId, { reservation, timer });
    // Connector 0 means any of them, and has no status Reserved (1.6 §4.9).
    const connector = this.#station.connector(connectorId);
    if (connectorId > 0) this.#station.afterAnswer(() => connector.setStatus('Reserved'));
    return 'Accepted';
  }

  /** Ends a reservation and frees its connector; false when there is none with this id. */
  end(reservationId: number): boolean {
    const reservation = this.#drop(reservationId);
    if (!reservation) return false;
    const connector = this.#station.connector(reservation.connectorId);
    if (connector.status === 'Reserved') void connector.setStatus('Available');
    return true;
  }

  /** Uses and ends the reservation that allows a tag, or its group, to charge on a connector. */
  use(connectorId: number, idTag: string): number | undefined {
    const found = this.held.find(
      (one) => [0, connectorId].includes(one.connectorId) && this.#isFor(one, idTag),
    );
    if (!found) return undefined;
    this.#drop(found.reservationId);
    return found.reservationId;
  }

  /** Whether the connector is reserved for another tag. */
  isHeldFrom(connectorId: number, idTag: string): boolean {
    const own = this.held.filter((one) => one.connectorId === connectorId);
    if (own.length > 0) return own.some((one) => !this.#isFor(one, idTag));
    // Connector 0 reservations keep that many free connectors available.
    const forAny = this.held.filter((one) => one.connectorId === 0 && !this.#isFor(one, idTag));
    const free = this.#station.connectors.filter(({ isFree }) => isFree);
    return forAny.length > 0 && free.length <= forAny.length;
  }

  /** Ends the reservations of a failed connector, or of the whole station with 0. */
  lose(connectorId: number): void {
    for (const one of this.held)
      if (connectorId === 0 || one.connectorId === connectorId) this.#drop(one.reservationId);
  }

  #refusalOf({ connectorId, reservationId }: Reservation): ReserveStatus | undefined {
    if (connectorId === 0) return this.#refusalOfAny();
    const connector = this.#station.findConnector(connectorId);
    if (!connector) return 'Rejected';
    if (connector.status === 'Available') return undefined;
    return this.#isReplaced(connector, reservationId) ? undefined : REFUSALS[connector.status];
  }

  #refusalOfAny(): ReserveStatus | undefined {
    const { configuration, quirks, connectors } = this.#station;
    if (quirks.reserveZero) return quirks.reserveZero === 'Accepted' ? undefined : quirks.reserveZero;
    if (!configuration.isTrue('ReserveConnectorZeroSupported')) return 'Rejected';
    return connectors.some(({ isFree }) => isFree) ? undefined : 'Occupied';
  }

  #isReplaced(connector: ReservableConnector, reservationId: number): boolean {
    return (
      connector.status === 'Reserved' &&
      this.#held.get(reservationId)?.reservation.connectorId === connector.id
    );
  }

  #isFor({ idTag, parentIdTag }: Reservation, user: string): boolean {
    if (idTag.toLowerCase() === user.toLowerCase()) return true;
    const parent = this.#station.authorization.parentOf(user);
    return parentIdTag !== undefined && parent?.toLowerCase() === parentIdTag.toLowerCase();
  }

  #drop(reservationId: number): Reservation | undefined {
    const held = this.#held.get(reservationId);
    clearTimeout(held?.timer);
    this.#held.delete(reservationId);
    return held?.reservation;
  }
}

const REFUSALS: Record<string, ReserveStatus> = {
  Faulted: 'Faulted',
  Unavailable: 'Unavailable',
  Reserved: 'Occupied',
  Preparing: 'Occupied',
  Charging: 'Occupied',
  SuspendedEV: 'Occupied',
  SuspendedEVSE: 'Occupied',
  Finishing: 'Occupied',
};
