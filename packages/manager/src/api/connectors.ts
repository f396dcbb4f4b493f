import { Type } from '@fastify/type-provider-typebox';
import * as statusList from '../store/status-list.ts';
import type { StatusRow } from '../store/status-list.ts';
import { ConnectorId, Period, readPeriod, StationId, Text, Time } from './fields.ts';
import { listQuery, pageOf, Pager } from './paging.ts';
import type { ApiContext, App } from './route.ts';

/** A status that a connector had. */
export const ConnectorStatus = Type.Object(
  {
    connectorId: Type.Integer(),
    status: Type.String({ examples: ['Charging'] }),
    errorCode: Type.String(),
    info: Text,
    vendorId: Text,
    vendorErrorCode: Text,
    statusAt: Time,
    receivedAt: Time,
  },
  { title: 'ConnectorStatus' },
);
const Params = Type.Object({ stationId: StationId, connectorId: ConnectorId });
const PAGER = new Pager(['time', 'uuid'], ({ statusAt, digest }: StatusRow) => [
  statusAt.toISOString(),
  digest,
]);

/** The history of connectors; what they are now is part of their station. */
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
