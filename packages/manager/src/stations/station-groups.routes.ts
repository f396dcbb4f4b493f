import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import type { Db } from '../database/database.ts';
import * as openReconciliations from '../desired-state/open-reconciliations.store.ts';
import { nullable, StationId, Text, Time } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import type { App } from '../http/route.ts';
import { GroupParams, requireGroup, unknownGroup } from './station-groups.schemas.ts';
import * as store from './station-groups.store.ts';
import type { StationGroup } from './station-groups.store.ts';

const Filter = Type.Optional(nullable(Type.String({ minLength: 1, maxLength: 255 })));
const Group = Type.Object(
  {
    name: Type.String(),
    rank: Type.Integer({
      description: 'If groups conflict, the lowest rank wins, then the first name',
    }),
    stationIds: Type.Array(Type.String()),
    vendor: Text,
    model: Text,
    prefix: Text,
    stations: Type.Integer({ description: 'Number of members' }),
    updatedAt: Time,
  },
  {
    title: 'StationGroup',
    description: 'The listed stations, and those that match all given fields of vendor, model and prefix',
  },
);
const Change = Type.Object(
  {
    rank: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
    stationIds: Type.Optional(Type.Array(StationId, { maxItems: 100_000 })),
    vendor: Filter,
    model: Filter,
    prefix: Filter,
  },
  { additionalProperties: false },
);
const PAGER = new Pager(['text'], ({ name }: StationGroup) => [name]);
const tags = ['station groups'];

/** Groups of stations: the desired state of a group applies to each of its stations. */
export function stationGroupRoutes(app: App, context: ApiContext): void {
  addReading(app, context);
  addWriting(app, context);
}

function addReading(app: App, { database }: ApiContext): void {
  app.get(
    '/station-groups',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listStationGroups',
        summary: 'Groups of stations, by name',
        tags,
        querystring: listQuery({}),
        response: { 200: pageOf(Group) },
      },
    },
    ({ query }) =>
      PAGER.page(query, ({ after, rows }) => store.list(database, { after: after?.[0] ?? null, rows })),
  );
  app.get(
    '/station-groups/:name',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'getStationGroup',
        summary: 'A group of stations',
        tags,
        params: GroupParams,
        response: { 200: Group },
      },
    },
    ({ params: { name } }) => requireGroup(database, name),
  );
}

function addWriting(app: App, { database, now, keys }: ApiContext): void {
  app.put(
    '/station-groups/:name',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'putStationGroup',
        summary: 'Add or change a group of stations; omitted fields keep their value',
        tags,
        params: GroupParams,
        body: Change,
        response: { 200: Group, 201: Group },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const requestedBy = await keys.nameOf(request);
      const isNew = await database.transaction(async (db) => {
        const origin = { requestedBy, at: now() };
        await reconcileMembers(db, name, origin);
        const isNewGroup = await store.put(db, name, request.body, origin.at);
        await reconcileMembers(db, name, origin);
        return isNewGroup;
      });
      return reply.code(isNew ? 201 : 200).send(await requireGroup(database, name));
    },
  );
  app.delete(
    '/station-groups/:name',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'removeStationGroup',
        summary: 'Remove a group and its desired state; its stations stay as they are',
        tags,
        params: GroupParams,
        response: { 204: Type.Null({ description: 'Removed' }) },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const requestedBy = await keys.nameOf(request);
      const isGone = await database.transaction(async (db) => {
        await reconcileMembers(db, name, { requestedBy, at: now() });
        return store.remove(db, name);
      });
      if (!isGone) throw unknownGroup(name);
      return reply.code(204).send(null);
    },
  );
}

// Called before and after a change: the desired state may change for stations that leave the group and for those that join it.
async function reconcileMembers(
  db: Db,
  name: string,
  origin: { requestedBy: string | null; at: Date },
): Promise<void> {
  for (const kind of ['configuration', 'localList'] as const)
    if (await openReconciliations.isDesiredOfGroup(db, name, kind))
      await openReconciliations.ofGroup(db, name, { kind, ...origin });
}
