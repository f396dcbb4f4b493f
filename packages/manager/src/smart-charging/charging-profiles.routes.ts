import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { ConnectorId, nullable, oneOf, StationParams, Time, TransactionId } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import type { App } from '../http/route.ts';
import * as chargingProfileList from './charging-profile-list.store.ts';
import type { ChargingProfileRow } from './charging-profile-list.store.ts';

const Purpose = oneOf(
  ['ChargePointMaxProfile', 'TxDefaultProfile', 'TxProfile'] as const,
  'Only profiles for this purpose',
);
const ChargingProfile = Type.Object(
  {
    chargingProfileId: Type.Integer(),
    connectorId: Type.Integer({ description: '0: the station as a whole' }),
    purpose: Type.String(),
    stackLevel: Type.Integer(),
    transactionId: nullable(Type.Integer({ description: 'Of a TxProfile' })),
    chargingProfile: Type.Unknown({ description: 'The whole profile, as sent' }),
    setAt: Time,
  },
  { title: 'StationChargingProfile' },
);
const Query = listQuery({
  connectorId: Type.Optional(ConnectorId),
  purpose: Type.Optional(Purpose),
  transactionId: Type.Optional(TransactionId),
});
const PAGER = new Pager(['integer'], ({ chargingProfileId }: ChargingProfileRow) => [chargingProfileId]);

/** Charging profiles that stations accepted and still have. */
export function chargingProfileRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/stations/:stationId/charging-profiles',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listChargingProfiles',
        summary: 'Charging profiles that a station accepted and still has, by id',
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
