import { Type } from '@fastify/type-provider-typebox';
import type { Static } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { StationParams } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import { GroupParams, requireGroup } from '../stations/station-groups.schemas.ts';
import { LIST_FIELDS } from './desired-local-list.schemas.ts';
import * as desiredLocalLists from './desired-local-lists.store.ts';
import type { DesiredList } from './desired-local-lists.store.ts';
import * as openReconciliations from './open-reconciliations.store.ts';
import { ReconciliationSchema } from './reconciliations.schemas.ts';

const IdTag = Type.String({ minLength: 1, maxLength: 20 });
const Body = Type.Object(
  {
    all: Type.Optional(Type.Boolean({ description: 'All tags; excludes the other fields' })),
    tags: Type.Optional(Type.Array(IdTag, { maxItems: 50_000, description: 'These tags' })),
    parentIdTags: Type.Optional(
      Type.Array(IdTag, { maxItems: 10_000, description: 'Tags that have one of these as parentIdTag' }),
    ),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    title: 'LocalListTags',
    description: 'all, or tags and parentIdTags together',
    examples: [{ tags: ['04A2B3C4D5E680'], parentIdTags: ['FLEET-7'] }],
  },
);
const GroupList = Type.Object(LIST_FIELDS, {
  title: 'GroupLocalList',
  description: 'The desired tags in the lists of the stations of a group',
});

const tags = ['local lists'];
const NOTHING = Type.Null({ description: 'Removed; the list on the station is unchanged' });

/** Routes for the desired local authorization lists of stations and groups. */
export function desiredLocalListRoutes(app: App, context: ApiContext): void {
  addOfStation(app, context);
  addOfGroup(app, context);
}

function addOfStation(app: App, { database, now, keys }: ApiContext): void {
  const path = '/stations/:stationId/local-list';
  app.put(
    path,
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'putDesiredLocalList',
        summary:
          'Set the desired tags of the local authorization list of a station: Evander applies them and keeps the list up to date',
        description: 'Responds immediately; GET shows the progress. Overrides the groups of the station.',
        tags,
        params: StationParams,
        body: Body,
        response: { 202: ReconciliationSchema },
      },
    },
    async (request, reply) => {
      const { stationId } = request.params;
      const list = readList(request.body);
      const requestedBy = await keys.nameOf(request);
      const reconciliation = await database.transaction(async (db) => {
        await desiredLocalLists.put(db, { stationId }, list);
        return openReconciliations.ofStation(db, stationId, { kind: 'localList', requestedBy, at: now() });
      });
      return reply.code(202).send(reconciliation);
    },
  );
  app.delete(
    path,
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'removeDesiredLocalList',
        summary: 'Remove the desired list of the station itself; that of its groups then applies',
        tags,
        params: StationParams,
        response: { 204: NOTHING },
      },
    },
    async (request, reply) => {
      const { stationId } = request.params;
      const requestedBy = await keys.nameOf(request);
      const wasRemoved = await database.transaction(async (db) => {
        const removed = await desiredLocalLists.remove(db, { stationId });
        if (removed)
          await openReconciliations.ofStation(db, stationId, { kind: 'localList', requestedBy, at: now() });
        return removed;
      });
      if (!wasRemoved) throw new Problem(404, `station ${stationId} has no desired local list of its own`);
      return reply.code(204).send(null);
    },
  );
}

function addOfGroup(app: App, { database, now, keys }: ApiContext): void {
  const path = '/station-groups/:name/local-list';
  const missing = (name: string): Problem =>
    new Problem(404, `station group ${name} has no desired local list`);
  app.get(
    path,
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'getGroupLocalList',
        summary: 'The desired tags of the local authorization lists of the stations of a group',
        tags,
        params: GroupParams,
        response: { 200: GroupList },
      },
    },
    async ({ params: { name } }) => {
      await requireGroup(database, name);
      const list = await desiredLocalLists.own(database, { group: name });
      if (!list) throw missing(name);
      return list;
    },
  );
  app.put(
    path,
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'putGroupLocalList',
        summary: 'Set the desired tags of the local authorization lists of the stations of a group',
        tags,
        params: GroupParams,
        body: Body,
        response: { 202: GroupList },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const list = readList(request.body);
      await requireGroup(database, name);
      const requestedBy = await keys.nameOf(request);
      await database.transaction(async (db) => {
        await desiredLocalLists.put(db, { group: name }, list);
        await openReconciliations.ofGroup(db, name, { kind: 'localList', requestedBy, at: now() });
      });
      return reply.code(202).send(list);
    },
  );
  app.delete(
    path,
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'removeGroupLocalList',
        summary: 'Remove the desired list of a group; the lists on the stations are unchanged',
        tags,
        params: GroupParams,
        response: { 204: NOTHING },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const requestedBy = await keys.nameOf(request);
      const wasRemoved = await database.transaction(async (db) => {
        const removed = await desiredLocalLists.remove(db, { group: name });
        if (removed)
          await openReconciliations.ofGroup(db, name, { kind: 'localList', requestedBy, at: now() });
        return removed;
      });
      if (!wasRemoved) throw missing(name);
      return reply.code(204).send(null);
    },
  );
}

function readList({ all = false, tags: idTags = [], parentIdTags = [] }: Static<typeof Body>): DesiredList {
  if (all && idTags.length + parentIdTags.length > 0)
    throw new Problem(400, 'all excludes the other fields; omit tags and parentIdTags, or all', {
      field: 'all',
    });
  if (!all && idTags.length + parentIdTags.length === 0)
    throw new Problem(
      400,
      'no tags are given; send all: true, tags, or parentIdTags; or use DELETE to remove the desired list',
    );
  return { all, tags: idTags, parentIdTags };
}
