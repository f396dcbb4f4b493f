import { Type } from '@fastify/type-provider-typebox';
import * as configurationList from '../store/configuration-list.ts';
import type { ConfigurationRow } from '../store/configuration-list.ts';
import { nullable, StationParams, Time } from './fields.ts';
import { listQuery, pageOf, Pager } from './paging.ts';
import type { ApiContext, App } from './route.ts';

const Key = Type.Object({
  key: Type.String(),
  value: nullable(Type.String({ description: 'null: not set. That of AuthorizationKey is never shown' })),
  readonly: Type.Boolean(),
  rebootRequired: Type.Boolean({ description: 'The value is in force after the next boot' }),
  readAt: Type.Unsafe<Date>({ ...Time, description: 'When the station was asked for it, or told it' }),
});
const Query = listQuery({ key: Type.Optional(Type.String({ description: 'In any case' })) });
const PAGER = new Pager(['text'], ({ key }: ConfigurationRow) => [key.toLowerCase()]);

/** The configuration of stations, as they told it last. */
export function configurationRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/stations/:stationId/configuration',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listConfiguration',
        summary: 'The configuration keys of a station by name, as it told or accepted them last',
        tags: ['configuration'],
        params: StationParams,
        querystring: Query,
        response: { 200: pageOf(Key) },
      },
    },
    ({ params: { stationId }, query }) =>
      PAGER.page(query, ({ after, rows }) =>
        configurationList.list(database, { ...query, stationId, after: after?.[0] ?? null, rows }),
      ),
  );
}
