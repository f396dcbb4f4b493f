import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { ConnectorId, Period, readPeriod, StationParams, TransactionParams } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import type { App } from '../http/route.ts';
import * as meterValueList from './meter-value-list.store.ts';
import type { MeterValueRow } from './meter-value-list.store.ts';
import { METER_VALUE_FILTERS, MeterValue } from './meter-values.schemas.ts';
import * as transactionList from './transaction-list.store.ts';
import { unknownTransaction } from './transactions.schemas.ts';

const PAGER = new Pager(['time', 'integer', 'uuid'], ({ measuredAt, connectorId, digest }: MeterValueRow) => [
  measuredAt.toISOString(),
  connectorId,
  digest,
]);
const tags = ['meter values'];

/** Meter values as stations sent them, oldest first. */
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
