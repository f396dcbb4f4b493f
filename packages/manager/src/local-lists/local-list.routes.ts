import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { DesiredListSchema, desiredOf } from '../desired-state/desired-local-list.schemas.ts';
import { nullable, StationParams, Text, Time } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import type { App } from '../http/route.ts';
import * as localListEntries from './local-list-entries.store.ts';
import * as localLists from './local-lists.store.ts';
import type { LocalList } from './local-lists.store.ts';

const List = Type.Object(
  {
    supported: nullable(Type.Boolean({ description: 'null: the station has not reported it' })),
    version: nullable(
      Type.Integer({ description: '0: the list is empty. null: not known, or not supported' }),
    ),
    needsFull: Type.Boolean({
      description:
        'The station may not have the entries recorded here; a SendLocalList with Full repairs that',
    }),
    lastStatus: nullable(Type.String({ description: 'Answer to the last SendLocalList' })),
    lastUpdateType: Text,
    updatedAt: nullable(Type.Unsafe<Date>({ ...Time, description: 'When it was last read or sent' })),
    desired: Type.Optional(DesiredListSchema),
  },
  { title: 'LocalList', description: 'The local authorization list' },
);
const Entry = Type.Object(
  {
    idTag: Type.String(),
    status: Type.String(),
    parentIdTag: Text,
    expiryDate: Text,
  },
  { title: 'LocalListEntry' },
);
const Query = listQuery({ idTag: Type.Optional(Type.String({ description: 'Only this tag, in any case' })) });
const PAGER = new Pager(['text'], ({ idTag }: localListEntries.LocalListEntryRow) => [idTag.toLowerCase()]);
const tags = ['local lists'];

/** Routes for local authorization lists, as far as they are known. */
export function localListRoutes(app: App, context: ApiContext): void {
  const { database } = context;
  app.get(
    '/stations/:stationId/local-list',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'getLocalList',
        summary: 'The local authorization list of a station, as far as known',
        tags,
        params: StationParams,
        response: { 200: List },
      },
    },
    async ({ params: { stationId } }) => {
      const desired = await desiredOf(database, stationId);
      return { ...shown(await localLists.find(database, stationId)), ...(desired && { desired }) };
    },
  );
  app.get(
    '/stations/:stationId/local-list/entries',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listLocalListEntries',
        summary: 'The entries of the local authorization list of a station, by idTag',
        tags,
        params: StationParams,
        querystring: Query,
        response: { 200: pageOf(Entry) },
      },
    },
    ({ params: { stationId }, query }) =>
      PAGER.page(query, ({ after, rows }) =>
        localListEntries.list(database, { ...query, stationId, after: after?.[0] ?? null, rows }),
      ),
  );
}

function shown(list: LocalList | undefined) {
  const { version = null, versionAt = null, sentAt = null } = list ?? {};
  return {
    supported: version === null ? null : version >= 0,
    version: version === -1 ? null : version,
    needsFull: list?.needsFullSince != null,
    lastStatus: list?.lastStatus ?? null,
    lastUpdateType: list?.lastUpdateType ?? null,
    updatedAt:
      versionAt !== null && sentAt !== null && versionAt > sentAt ? versionAt : (sentAt ?? versionAt),
  };
}
