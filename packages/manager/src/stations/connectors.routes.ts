import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { ConnectorId, Period, readPeriod, StationId } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import type { App } from '../http/route.ts';
import { ConnectorStatus } from './connectors.schemas.ts';
import * as statusList from './status-list.store.ts';
import type { StatusRow } from './status-list.store.ts';

const Params = Type.Object({ stationId: StationId, connectorId: ConnectorId });
const PAGER = new Pager(['time', 'uuid'], ({ statusAt, digest }: StatusRow) => [
  statusAt.toISOString(),
  digest,
]);

/** The status history of connectors; their current status is part of their station. */
export function connectorRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/stations/:stationId/connectors/:connectorId/statuses',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listConnectorStatuses',
        summary: 'Status history of a connector, newest first; connector 0 is the station as a whole',
        tags: ['stations'],
        params: Params,
        querystring: listQuery(Period),
        response: { 200: pageOf(ConnectorStatus) },
      },
    },
    ({ params, query }) =>
      PAGER.page(query, ({ after, rows }) =>
        statusList.list(database, {
          ...params,
          ...readPeriod(query),
          before: after && { at: after[0], digest: after[1] },
          rows,
        }),
      ),
  );
}
