import { Type } from '@fastify/type-provider-typebox';
import type { FastifyContextConfig } from 'fastify';
import * as meterValueList from '../store/meter-value-list.ts';
import type { MeterValueRow } from '../store/meter-value-list.ts';
import * as transactionList from '../store/transaction-list.ts';
import type { TransactionRow } from '../store/transaction-list.ts';
import { CsvAnswer, sendCsv } from './csv.ts';
import type { Cells } from './csv.ts';
import { readPeriod, TransactionParams } from './fields.ts';
import { METER_VALUE_FILTERS } from './meter-values.ts';
import type { ApiContext, App } from './route.ts';
import { TRANSACTION_FILTERS, unknownTransaction } from './transactions.ts';

const TRANSACTION_CELLS: Cells<TransactionRow> = {
  transactionId: (row) => row.transactionId,
  stationId: (row) => row.stationId,
  connectorId: (row) => row.connectorId,
  state: (row) => row.state,
  idTag: (row) => row.idTag,
  parentIdTag: (row) => row.parentIdTag,
  idTagStatus: (row) => row.idTagStatus,
  startedAt: (row) => row.startedAt,
  meterStartWh: (row) => row.meterStartWh,
  endedAt: (row) => row.endedAt,
  stoppedAt: (row) => row.stoppedAt,
  meterStopWh: (row) => row.meterStopWh,
  energyWh: (row) => row.energyWh,
  energySource: (row) => row.energySource,
  stopReason: (row) => row.stopReason,
  stopIdTag: (row) => row.stopIdTag,
  reservationId: (row) => row.reservationId,
  remoteStartCommandId: (row) => row.remoteStartCommandId,
  closedAt: (row) => row.closure?.closedAt,
  closedBy: (row) => row.closure?.closedBy,
  closeReason: (row) => row.closure?.reason,
  closeMeterStopWh: (row) => row.closure?.meterStopWh,
  closeStoppedAt: (row) => row.closure?.stoppedAt,
  flags: (row) => row.flags,
};
const METER_VALUE_CELLS: Cells<MeterValueRow> = {
  measuredAt: (row) => row.measuredAt,
  connectorId: (row) => row.connectorId,
  transactionId: (row) => row.transactionId,
  context: (row) => row.context,
  measurand: (row) => row.measurand,
  phase: (row) => row.phase,
  location: (row) => row.location,
  format: (row) => row.format,
  unit: (row) => row.unit,
  value: (row) => row.value,
  receivedAt: (row) => row.receivedAt,
};
const config: FastifyContextConfig = { role: 'viewer', problems: [429] };
/** A HEAD would read the whole table for nothing. */
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
        summary: 'All transactions that fit, newest first, as CSV',
        tags: ['transactions'],
        querystring: Type.Object(TRANSACTION_FILTERS, { additionalProperties: false }),
        response: { 200: CsvAnswer },
      },
    },
    async ({ query }, reply) => {
      const rows = await transactionList.stream(database, { ...query, ...readPeriod(query) });
      return sendCsv(reply, rows, { fileName: 'transactions.csv', cells: TRANSACTION_CELLS });
    },
  );
  app.get(
    '/transactions/:transactionId/meter-values.csv',
    {
      config,
      exposeHeadRoute,
      schema: {
        operationId: 'exportTransactionMeterValues',
        summary: 'All that was measured in a transaction, oldest first, as CSV',
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
      const rows = await meterValueList.streamOfTransaction(database, { ...query, stationId, transactionId });
      const fileName = `transaction-${transactionId}-meter-values.csv`;
      return sendCsv(reply, rows, { fileName, cells: METER_VALUE_CELLS });
    },
  );
}
