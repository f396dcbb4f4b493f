import type { ApiContext } from '../api-context.ts';
import { readPeriod, TransactionParams } from '../http/fields.ts';
import { listQuery, pageOf, PeriodPager } from '../http/paging.ts';
import type { App } from '../http/route.ts';
import * as transactionList from './transaction-list.store.ts';
import type { TransactionRow } from './transaction-list.store.ts';
import { Transaction, TRANSACTION_FILTERS, unknownTransaction } from './transactions.schemas.ts';

const Query = listQuery(TRANSACTION_FILTERS);
const PAGER = new PeriodPager(({ startedAt, transactionId }: TransactionRow) => ({
  at: startedAt,
  id: transactionId,
}));
const tags = ['transactions'];

/** Transactions, as reported by their starts and stops. */
export function transactionRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/transactions',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listTransactions',
        summary: 'Transactions, newest first; by start time if from or to is given',
        tags,
        querystring: Query,
        response: { 200: pageOf(Transaction) },
      },
    },
    ({ query }) => {
      const period = readPeriod(query);
      return PAGER.page(query, period, (place) =>
        transactionList.list(database, { ...query, ...period, ...place }),
      );
    },
  );
  app.get(
    '/transactions/:transactionId',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'getTransaction',
        summary: 'A transaction',
        tags,
        params: TransactionParams,
        response: { 200: Transaction },
      },
    },
    async ({ params: { transactionId } }) => {
      const transaction = await transactionList.get(database, transactionId);
      if (!transaction) throw unknownTransaction(transactionId);
      return transaction;
    },
  );
}
