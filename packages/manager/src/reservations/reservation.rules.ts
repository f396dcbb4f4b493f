import type { ReserveNowRequest } from '@evander/ocpp';
import { idTagInfoOf } from '../authorization/authorize.ts';
import * as tags from '../authorization/tags.store.ts';
import { tagKey } from '../authorization/tags.store.ts';
import { RuleViolation } from '../commands/command.ts';
import type { CheckContext } from '../commands/command.ts';
import * as configuration from '../configuration/configuration.store.ts';
import * as places from './reservation-places.store.ts';
import type { Place } from './reservation-places.store.ts';

/** Requires a tag or group that may charge, and a parentIdTag that matches the tag's group (ReserveNow.3): throws RuleViolation. */
export async function requireTag(
  { idTag, parentIdTag }: ReserveNowRequest,
  { db, now }: CheckContext,
): Promise<void> {
  const tag = await tags.find(db, idTag);
  if (!tag && !(await tags.isParent(db, idTag)))
    throw new RuleViolation(
      'ReserveNow.3',
      `tag ${idTag} is not known and would not be allowed to charge; add it with PUT /api/v1/tags/${encodeURIComponent(idTag)}`,
    );
  const { status } = tag ? idTagInfoOf(tag, now) : { status: 'Accepted' };
  if (status !== 'Accepted')
    throw new RuleViolation('ReserveNow.3', `tag ${idTag} is ${status} and would not be allowed to charge`);
  const groups = [tag?.parentIdTag ?? idTag, idTag].map(tagKey);
  if (parentIdTag === undefined || groups.includes(tagKey(parentIdTag))) return;
  throw new RuleViolation(
    'ReserveNow.3',
    `tag ${idTag} is not in the group ${parentIdTag}, so no tag of that group could use the reservation; send the tag's own parentIdTag or none`,
  );
}

/** Requires support for reservations of connector 0 (ReserveNow.2): throws RuleViolation, but not while the configuration is unknown. */
export async function requireConnectorZero(
  connectorId: number,
  { db, stationId }: CheckContext,
): Promise<void> {
  if (connectorId > 0) return;
  const isSupported = await configuration.boolean(db, stationId, 'ReserveConnectorZeroSupported');
  if (isSupported ?? !(await configuration.isComplete(db, stationId))) return;
  throw new RuleViolation(
    'ReserveNow.2',
    `station ${stationId} does not support reservations of connector 0 (ReserveConnectorZeroSupported); choose a connector`,
  );
}

/**
 * Requires a connector that can be reserved according to what the station reported (ReserveNow.4): throws RuleViolation. The station would
 * refuse too, but the driver would learn of it late.
 */
export async function requireFreeConnector(request: ReserveNowRequest, context: CheckContext): Promise<void> {
  const { connectorId, reservationId } = request;
  const { db, stationId, now } = context;
  const known = (await places.lockAndList(db, stationId, now)).map((place) => ({
    ...place,
    reservationIds: place.reservationIds.filter((id) => id !== reservationId),
    // The connector may be Reserved because of the reservation that this one replaces.
    isFreed: place.isFreed || place.reservationIds.includes(reservationId),
  }));
  const count = await connectorCount(context);
  if (count !== undefined && connectorId > count)
    throw new RuleViolation(
      'G.7',
      `station ${stationId} has ${count} connectors, but no connector ${connectorId}`,
    );
  const why = obstacle(known, connectorId) ?? obstacle(known, 0);
  if (why !== undefined) throw new RuleViolation('ReserveNow.4', `${why}; choose another, or wait`);
  if (count === undefined) return;
  const ofAny = known.find((place) => place.connectorId === 0)?.reservationIds.length ?? 0;
  const free = freeConnectors(known, count);
  if (free - ofAny >= 1) return;
  throw new RuleViolation(
    'ReserveNow.4',
    `station ${stationId} has ${count} connectors, ${free} of them free, and ${ofAny} reservations of any connector: none is left to reserve`,
  );
}

/** The number of connectors that the station reported; undefined while it has reported none. */
async function connectorCount({ db, stationId }: CheckContext): Promise<number | undefined> {
  const count = await configuration.integer(db, stationId, 'NumberOfConnectors');
  return count !== undefined && count > 0 ? count : undefined;
}

function freeConnectors(known: Place[], count: number): number {
  const taken = known.filter(
    ({ connectorId }) =>
      connectorId > 0 && connectorId <= count && obstacle(known, connectorId) !== undefined,
  );
  return count - taken.length;
}

const OCCUPIED = new Set(['Preparing', 'Charging', 'SuspendedEVSE', 'SuspendedEV', 'Finishing']);
const OUT_OF_ORDER = new Set(['Faulted', 'Unavailable']);

/** Why a connector cannot be reserved; undefined when there is no known reason. */
function obstacle(known: Place[], connectorId: number): string | undefined {
  const place = known.find((one) => one.connectorId === connectorId);
  if (!place) return undefined;
  const { status, isFreed, transactionId, reservationIds } = place;
  const name = connectorId === 0 ? 'the station' : `connector ${connectorId}`;
  if (status !== null && OUT_OF_ORDER.has(status)) return `${name} is ${status}`;
  if (connectorId === 0) return undefined;
  if (reservationIds.length > 0)
    return `${name} is already reserved, by reservation ${reservationIds.join(', ')}`;
  if (transactionId !== null) return `transaction ${transactionId} is running on ${name}`;
  if (status !== null && OCCUPIED.has(status)) return `${name} is occupied: it is ${status}`;
  if (status === 'Reserved' && !isFreed) return `${name} is already Reserved by another system`;
  return undefined;
}
