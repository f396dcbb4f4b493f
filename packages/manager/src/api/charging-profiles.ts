import { Type } from '@fastify/type-provider-typebox';
import * as chargingProfileList from '../store/charging-profile-list.ts';
import type { ChargingProfileRow } from '../store/charging-profile-list.ts';
import * as compositeSchedules from '../store/composite-schedules.ts';
import { Int32, nullable, oneOf, StationId, StationParams, Text, Time } from './fields.ts';
import { listQuery, pageOf, Pager } from './paging.ts';
import { Problem } from './problem.ts';
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
const CompositeSchedule = Type.Object(
  {
    connectorId: Type.Integer(),
    chargingRateUnit: Text,
    status: Type.String({ description: 'Accepted, or why there is no schedule' }),
    durationSeconds: Type.Integer({ description: 'Asked for' }),
    scheduleStart: nullable(Time),
    chargingSchedule: Type.Unknown({ description: 'Its periods count from scheduleStart; null without one' }),
    askedAt: Time,
  },
  { description: 'What the station said last' },
);
const Unit = oneOf(['A', 'W'] as const, 'The last answer in this unit; without it the last in any');
const PAGER = new Pager(['integer'], ({ chargingProfileId }: ChargingProfileRow) => [chargingProfileId]);

/** Charging profiles that stations have, as far as they accepted them, and what they say comes of these. */
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
  app.get(
    '/stations/:stationId/connectors/:connectorId/composite-schedule',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'getCompositeSchedule',
        summary: 'The composite schedule of a connector, as the station told it last; 0 is the whole station',
        tags: ['smart charging'],
        params: Type.Object({ stationId: StationId, connectorId: Int32 }),
        querystring: Type.Object({ chargingRateUnit: Type.Optional(Unit) }, { additionalProperties: false }),
        response: { 200: CompositeSchedule },
      },
    },
    async ({ params: { stationId, connectorId }, query }) => {
      const schedule = await compositeSchedules.findLast(database, { stationId, connectorId, ...query });
      if (!schedule) throw unknown(stationId, connectorId);
      return schedule;
    },
  );
}

function unknown(stationId: string, connectorId: number): Problem {
  const path = `/api/v1/stations/${encodeURIComponent(stationId)}/commands/GetCompositeSchedule`;
  return new Problem(
    404,
    `station ${stationId} has told no such composite schedule of connector ${connectorId}; ask for it with POST ${path}`,
  );
}
