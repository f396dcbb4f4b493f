import { Type } from '@fastify/type-provider-typebox';
import * as chargingProfileList from '../store/charging-profile-list.ts';
import type { ChargingProfileRow } from '../store/charging-profile-list.ts';
import { Int32, nullable, oneOf, StationParams, Time } from './fields.ts';
import { listQuery, pageOf, Pager } from './paging.ts';
import type { ApiContext, App } from './route.ts';

const Purpose = oneOf(['ChargePointMaxProfile', 'TxDefaultProfile', 'TxProfile'] as const);
const ChargingProfile = Type.Object({
  chargingProfileId: Type.Integer(),
  connectorId: Type.Integer({ description: '0: the station as a whole' }),
  purpose: Type.String(),
  stackLevel: Type.Integer(),
  transactionId: nullable(Type.Integer({ description: 'Of a TxProfile' })),
  chargingProfile: Type.Unknown({ description: 'All of it, as it was sent' }),
  setAt: Time,
});
const Query = listQuery({
  connectorId: Type.Optional(Int32),
  purpose: Type.Optional(Purpose),
  transactionId: Type.Optional(Int32),
});
const PAGER = new Pager(['integer'], ({ chargingProfileId }: ChargingProfileRow) => [chargingProfileId]);

/** Charging profiles that stations have, as far as they accepted them. */
export function chargingProfileRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/stations/:stationId/charging-profiles',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listChargingProfiles',
        summary: 'The charging profiles that a station has accepted and still has, by id',
        tags: ['smart charging'],
        params: StationParams,
        querystring: Query,
        response: { 200: pageOf(ChargingProfile) },
      },
    },
    ({ params: { stationId }, query }) =>
      PAGER.page(query, ({ after, rows }) =>
        chargingProfileList.list(database, { ...query, stationId, after: after?.[0] ?? null, rows }),
      ),
  );
}
