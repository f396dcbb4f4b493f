import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { nullable, oneOf, StationParams, Text, Time } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import type { App } from '../http/route.ts';
import * as reservationList from './reservation-list.store.ts';
import type { ReservationRow } from './reservation-list.store.ts';
import { RESERVATION_STATES } from './reservations.store.ts';

const Reservation = Type.Object(
  {
    reservationId: Type.Integer(),
    stationId: Type.String(),
    commandId: Type.String({ description: 'The ReserveNow that requested it' }),
    connectorId: Type.Integer({ description: '0 for any connector' }),
    idTag: Type.String(),
    parentIdTag: Text,
    expiryDate: Time,
    state: oneOf(
      RESERVATION_STATES,
      'requested: the station has not answered. used: by a transaction. lost: its connector or station became Faulted or Unavailable. replaced: by another with the same reservationId. ended: the station no longer knows it',
    ),
    reason: nullable(Type.String({ description: 'Why it was refused or lost' })),
    transactionId: nullable(Type.Integer({ description: 'The transaction that used it' })),
    requestedAt: Time,
    acceptedAt: nullable(Time),
    reservedAt: nullable(
      Type.Unsafe<Date>({
        ...Time,
        description: "When its connector reported Reserved, by the station's clock",
      }),
    ),
    endedAt: nullable(Time),
  },
  { title: 'Reservation' },
);
const Query = listQuery({
  state: Type.Optional(oneOf(RESERVATION_STATES, 'Only reservations in this state')),
});
const PAGER = new Pager(['integer'], ({ reservationKey }: ReservationRow) => [reservationKey]);

/** Reservations made with ReserveNow. */
export function reservationRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/stations/:stationId/reservations',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listReservations',
        summary: 'The reservations of a station, newest first',
        tags: ['reservations'],
        params: StationParams,
        querystring: Query,
        response: { 200: pageOf(Reservation) },
      },
    },
    ({ params, query }) =>
      PAGER.page(query, ({ after, rows }) =>
        reservationList.list(database, { ...params, ...query, before: after?.[0] ?? null, rows }),
      ),
  );
}
