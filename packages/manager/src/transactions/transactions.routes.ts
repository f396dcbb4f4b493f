import { Type } from '@fastify/type-provider-typebox';
import * as transactionList from './transaction-list.store.ts';
import type { TransactionRow } from './transaction-list.store.ts';
import { ENERGY_SOURCES, TRANSACTION_FLAGS, TRANSACTION_STATES } from './transaction-state.store.ts';
import {
  ConnectorId,
  nullable,
  OfStation,
  oneOf,
  readPeriod,
  Text,
  Time,
  TimeText,
  TransactionParams,
} from '../http/fields.ts';
import { listQuery, pageOf, PeriodPager } from '../http/paging.ts';
import { Problem } from '../http/problem.ts';
import type { ApiContext, App } from '../http/route.ts';

const State = oneOf(
  TRANSACTION_STATES,
  'stopped: by its station. lost: the next start on its connector came without its stop. closed: by an operator. A stop that comes late makes it stopped',
);
const Closure = nullable(
  Type.Object(
    {
      closedAt: TimeText,
      closedBy: nullable(Type.String({ description: 'Name of the API key' })),
      reason: Type.String(),
      meterStopWh: nullable(Type.Integer()),
      stoppedAt: TimeText,
    },
    { description: 'How an operator closed it; it stays when the stop of the station comes after all' },
  ),
);

/** A transaction as it is answered. */
export const Transaction = Type.Object(
  {
    transactionId: Type.Integer(),
    stationId: Type.String(),
    connectorId: Type.Integer(),
    state: { ...State, examples: ['stopped'] },
    idTag: Type.String(),
    parentIdTag: Text,
    idTagStatus: Type.String({ description: 'What the station was told of the tag when it started' }),
    startedAt: Time,
    meterStartWh: Type.Integer(),
    reservationId: nullable(Type.Integer()),
    remoteStartCommandId: nullable(
      Type.String({ description: 'The RemoteStartTransaction that it answers' }),
    ),
    stoppedAt: nullable(Time),
    meterStopWh: nullable(Type.Integer()),
    energyWh: nullable(
      Type.Integer({ description: 'So far while it is open; null when no reading tells it' }),
    ),
    energySource: nullable(
      oneOf(
        ENERGY_SOURCES,
        'Where energyWh is from: the stop, the sample at Transaction.End, the operator, or the highest sample',
      ),
    ),
    stopReason: Text,
    stopIdTag: Text,
    endedAt: nullable(
      Type.Unsafe<Date>({
        ...Time,
        description: 'stoppedAt; else that of its closure; else when the next start came',
      }),
    ),
    closure: Closure,
    flags: Type.Array(Type.String(), {
      description: `What an operator should look at: ${TRANSACTION_FLAGS.join(', ')}`,
    }),
    startReceivedAt: Time,
    stopReceivedAt: nullable(Time),
  },
  { title: 'Transaction', description: 'The transaction; what its stop will tell is null while it is open' },
);
/** What transactions are chosen by. */
export const TRANSACTION_FILTERS = {
  stationId: OfStation,
  connectorId: Type.Optional(ConnectorId),
  idTag: Type.Optional(Type.String({ description: 'Only of this tag, in any case' })),
  open: Type.Optional(
    Type.Boolean({ description: 'true: those that have not ended; false: those that have' }),
  ),
  state: Type.Optional(oneOf(TRANSACTION_STATES, 'Only transactions in this state')),
  flag: Type.Optional(oneOf(TRANSACTION_FLAGS, 'Only transactions with this flag')),
  remoteStartCommandId: Type.Optional(
    Type.String({ format: 'uuid', description: 'Only the one that answers this RemoteStartTransaction' }),
  ),
  from: Type.Optional(Type.String({ format: 'date-time', description: 'Started not before this time' })),
  to: Type.Optional(Type.String({ format: 'date-time', description: 'Started before this time' })),
};
const Query = listQuery(TRANSACTION_FILTERS);
const PAGER = new PeriodPager(({ startedAt, transactionId }: TransactionRow) => ({
  at: startedAt,
  id: transactionId,
}));
const tags = ['transactions'];

/** Transactions, as their starts and stops told of them. */
export function transactionRoutes(app: App, { database }: ApiContext): void {
  app.get(
    '/transactions',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listTransactions',
        summary: 'Transactions, newest first; by their start where from or to is given',
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

/** What is answered for a transaction that there is not. */
export function unknownTransaction(transactionId: number): Problem {
  return new Problem(
    404,
    `transaction ${transactionId} is not known; GET /api/v1/transactions lists those that are`,
  );
}
