import { parseDateTime } from '@evander/ocpp';
import { RuleViolation } from '../../commands/command.ts';
import type { Command } from '../../commands/command.ts';
import {
  requireConnectorZero,
  requireFreeConnector,
  requireTag,
} from '../../reservations/reservation.rules.ts';
import * as reservations from '../../reservations/reservations.store.ts';

export const reserveNow: Command<'ReserveNow'> = {
  ids: { reservationId: 'reservationId' },
  async check(request, context) {
    const { connectorId, expiryDate, reservationId } = request;
    if (reservationId < 1)
      throw new RuleViolation('ReserveNow.1', 'reservationId must be 1 or higher, or omitted');
    if (connectorId < 0)
      throw new RuleViolation('ReserveNow.2', 'connectorId must be 1 or higher, or 0 for any connector');
    const expiry = parseDateTime(expiryDate);
    if (!expiry || expiry <= context.now)
      throw new RuleViolation('ReserveNow.5', 'expiryDate must be in the future');
    await requireConnectorZero(connectorId, context);
    await requireTag(request, context);
    await requireFreeConnector(request, context);
  },
  async onRequest(request, { db, stationId, commandId, now }) {
    const { reservationId, connectorId, idTag, parentIdTag = null, expiryDate } = request;
    await reservations.add(db, {
      stationId,
      commandId,
      reservationId,
      connectorId,
      idTag,
      parentIdTag,
      expiryDate: parseDateTime(expiryDate) ?? now,
      requestedAt: now,
    });
  },
  async onAnswer({ status }, _sent, { db, commandId, now: at }) {
    if (status === 'Accepted') await reservations.accept(db, commandId, at);
    else await reservations.refuse(db, { commandId, reason: status, at });
  },
  async onFailure({ reason }, _request, { db, commandId, now: at }) {
    await reservations.refuse(db, { commandId, reason, at });
  },
};
