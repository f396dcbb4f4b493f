import { parseDateTime } from '@evander/ocpp';
import { RuleBroken } from '../../commands/command.ts';
import type { Command } from '../../commands/command.ts';
import * as configuration from '../../store/configuration.ts';
import * as reservations from '../../store/reservations.ts';

export const reserveNow: Command<'ReserveNow'> = {
  ids: { reservationId: 'reservationId' },
  async check({ connectorId, expiryDate, reservationId }, { db, stationId, now }) {
    if (reservationId < 1)
      throw new RuleBroken('ReserveNow.1', 'reservationId must be 1 or higher, or left out');
    if (connectorId < 0)
      throw new RuleBroken('ReserveNow.2', 'connectorId must be a connector, or 0 for any of them');
    const expiry = parseDateTime(expiryDate);
    if (!expiry || expiry <= now) throw new RuleBroken('ReserveNow.5', 'expiryDate must be in the future');
    if (connectorId > 0) return;
    if ((await configuration.boolean(db, stationId, 'ReserveConnectorZeroSupported')) === false)
      throw new RuleBroken(
        'ReserveNow.2',
        `station ${stationId} takes no reservations of connector 0 (ReserveConnectorZeroSupported); name a connector`,
      );
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
