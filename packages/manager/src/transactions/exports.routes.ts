import { Type } from '@fastify/type-provider-typebox';
import type { FastifyContextConfig } from 'fastify';
import type { ApiContext } from '../api-context.ts';
import { CsvAnswer, sendCsv } from '../http/csv.ts';
import { readPeriod, TransactionParams } from '../http/fields.ts';
import type { App } from '../http/route.ts';
import * as meterValueList from './meter-value-list.store.ts';
import { METER_VALUE_FILTERS } from './meter-values.schemas.ts';
import * as transactionList from './transaction-list.store.ts';
import { TRANSACTION_FILTERS, unknownTransaction } from './transactions.schemas.ts';

const config: FastifyContextConfig = { role: 'viewer', problems: [429] };

/** A HEAD would read the whole table only to discard it. */
const exposeHeadRoute = false;

/** Whole tables as CSV, for spreadsheets and other programs. */
export function exportRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/transactions.csv',
    {
      config,
      exposeHeadRoute,
      schema: {
        operationId: 'exportTransactions',
        summary: 'All matching transactions, newest first, as CSV',
        tags: ['transactions'],
        querystring: Type.Object(TRANSACTION_FILTERS, { additionalProperties: false }),
        response: { 200: CsvAnswer },
      },
    },
    async ({ query }, reply) => {
      const table = await transactionList.exportCsv(database, { ...query, ...readPeriod(query) });
      return sendCsv(reply, table, 'transactions.csv');
    },
  );
  app.get(
    '/transactions/:transactionId/meter-values.csv',
    {
      config,
      exposeHeadRoute,
      schema: {
        operationId: 'exportTransactionMeterValues',
        summary: 'All meter values of a transaction, oldest first, as CSV',
        tags: ['meter values'],
        params: TransactionParams,
        querystring: Type.Object(METER_VALUE_FILTERS, { additionalProperties: false }),
        response: { 200: CsvAnswer },
      },
    },
    async ({ params: { transactionId }, query }, reply) => {
      const transaction = await transactionList.get(database, transactionId);
      if (!transaction) throw unknownTransaction(transactionId);
      const { stationId } = transaction;
      const table = await meterValueList.exportCsvOfTransaction(database, {
        ...query,
        stationId,
        transactionId,
      });
      return sendCsv(reply, table, `transaction-${transactionId}-meter-values.csv`);
    },
  );
}
