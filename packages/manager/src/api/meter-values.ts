import { Type } from '@fastify/type-provider-typebox';
import * as meterValueList from '../store/meter-value-list.ts';
import type { MeterValueRow } from '../store/meter-value-list.ts';
import * as transactionList from '../store/transaction-list.ts';
import {
  ConnectorId,
  Int32,
  nullable,
  Period,
  readPeriod,
  StationParams,
  Text,
  Time,
  TransactionParams,
} from './fields.ts';
import { listQuery, pageOf, Pager } from './paging.ts';
import type { ApiContext, App } from './route.ts';
import { unknownTransaction } from './transactions.ts';

const MeterValue = Type.Object(
  {
    measuredAt: Time,
    connectorId: Int32,
    transactionId: nullable(Type.Integer()),
    context: Type.String(),
    measurand: Type.String(),
    phase: Text,
    location: Type.String(),
    format: Type.String(),
    unit: Text,
    value: Type.String({ description: 'As the station sent it' }),
    receivedAt: Time,
  },
  { title: 'MeterValue' },
);
/** What samples are chosen by. */
export const METER_VALUE_FILTERS = {
  measurand: Type.Optional(Type.String({ description: 'Such as Energy.Active.Import.Register' })),
  context: Type.Optional(Type.String({ description: 'Such as Sample.Periodic' })),
};
const PAGER = new Pager(['time', 'integer', 'uuid'], ({ measuredAt, connectorId, digest }: MeterValueRow) => [
  measuredAt.toISOString(),
  connectorId,
  digest,
]);
const tags = ['meter values'];

/** What stations measured, as they sent it; oldest first, as one reads a series. */
export function meterValueRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/transactions/:transactionId/meter-values',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listTransactionMeterValues',
        summary: 'Meter values of a transaction, oldest first',
        tags,
        params: TransactionParams,
        querystring: listQuery(METER_VALUE_FILTERS),
        response: { 200: pageOf(MeterValue) },
      },
    },
    async ({ params: { transactionId }, query }) => {
      const transaction = await transactionList.get(database, transactionId);
      if (!transaction) throw unknownTransaction(transactionId);
      const { stationId } = transaction;
      return PAGER.page(query, ({ after, rows }) =>
        meterValueList.listOfTransaction(database, {
          ...query,
          stationId,
          transactionId,
          after: placeOf(after),
          rows,
        }),
      );
    },
  );
  app.get(
    '/stations/:stationId/meter-values',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listStationMeterValues',
        summary: 'Meter values of a station, in transactions and outside of them, oldest first',
        tags,
        params: StationParams,
        querystring: listQuery({
          ...METER_VALUE_FILTERS,
          connectorId: Type.Optional(ConnectorId),
          ...Period,
        }),
        response: { 200: pageOf(MeterValue) },
      },
    },
    ({ params: { stationId }, query }) =>
      PAGER.page(query, ({ after, rows }) =>
        meterValueList.listOfStation(database, {
          ...query,
          ...readPeriod(query),
          stationId,
          after: placeOf(after),
          rows,
        }),
      ),
  );
}

function placeOf(key: [string, number, string] | null): meterValueList.Place | null {
  return key && { at: key[0], connectorId: key[1], digest: key[2] };
}
