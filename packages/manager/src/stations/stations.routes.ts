import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { StationParams } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import { putStation, StationChange } from './station-change.ts';
import * as stationList from './station-list.store.ts';
import type { StationRow } from './station-list.store.ts';
import { Registration, Station } from './stations.schemas.ts';

const Query = listQuery({
  adopted: Type.Optional(
    Type.Boolean({ description: 'true: only stations that were added; false: only rejected ones' }),
  ),
  connected: Type.Optional(Type.Boolean({ description: 'true: only connected ones; false: only others' })),
  registrationStatus: Type.Optional({
    ...Registration,
    description: 'Only stations with this answer to their last BootNotification',
  }),
  prefix: Type.Optional(Type.String({ description: 'Beginning of the id' })),
});
const PAGER = new Pager(['text'], ({ stationId }: StationRow) => [stationId]);
const tags = ['stations'];

/** Routes to add, change, show and remove stations. */
export function stationRoutes(app: App, context: ApiContext): void {
  const { database } = context;
  app.get(
    '/stations',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listStations',
        summary: 'Stations by id, including rejected ones',
        tags,
        querystring: Query,
        response: { 200: pageOf(Station) },
      },
    },
    ({ query }) =>
      PAGER.page(query, ({ after, rows }) =>
        stationList.list(database, { ...query, after: after?.[0] ?? null, rows }),
      ),
  );
  app.get(
    '/stations/:stationId',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'getStation',
        summary: 'A station',
        tags,
        params: StationParams,
        response: { 200: Station },
      },
    },
    async ({ params: { stationId } }) => {
      const station = await stationList.get(database, stationId);
      if (!station) throw unknown(stationId);
      return station;
    },
  );
  addWrites(app, context);
}

function addWrites(app: App, context: ApiContext): void {
  const { database, onStationChanged } = context;
  app.put(
    '/stations/:stationId',
    {
      config: { role: 'operator', problems: [409] },
      schema: {
        operationId: 'putStation',
        summary: 'Add or change a station; omitted fields keep their value',
        tags,
        params: StationParams,
        body: StationChange,
        response: { 200: Station, 201: Station },
      },
    },
    async ({ params: { stationId }, body }, reply) => {
      const isNew = await putStation(context, stationId, body);
      onStationChanged(stationId);
      const station = await stationList.get(database, stationId);
      if (!station) throw unknown(stationId);
      return reply.code(isNew ? 201 : 200).send(station);
    },
  );
  app.delete(
    '/stations/:stationId',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'removeStation',
        summary: 'Remove a station with its connectors; its transactions and meter values stay',
        tags,
        params: StationParams,
        response: { 204: Type.Null({ description: 'Removed' }) },
      },
    },
    async ({ params: { stationId } }, reply) => {
      if (!(await stationList.remove(database, stationId))) throw unknown(stationId);
      onStationChanged(stationId);
      return reply.code(204).send(null);
    },
  );
}

function unknown(stationId: string): Problem {
  const path = `/api/v1/stations/${encodeURIComponent(stationId)}`;
  return new Problem(404, `station ${stationId} is not known; add it with PUT ${path}`);
}
