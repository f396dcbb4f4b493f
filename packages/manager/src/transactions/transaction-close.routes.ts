import { INT32_MAX } from '@evander/ocpp';
import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { readTime, Reason, TransactionParams } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import * as transactionEndings from './transaction-endings.store.ts';
import * as transactionList from './transaction-list.store.ts';
import { Transaction, unknownTransaction } from './transactions.schemas.ts';

/** Tolerance for a `stoppedAt` that was read from a station whose clock is ahead of Evander's. */
const MAX_AHEAD_MS = 60_000;
const Close = Type.Object(
  {
    reason: Reason,
    meterStopWh: Type.Optional(
      Type.Integer({
        minimum: -(2 ** 31),
        maximum: INT32_MAX,
        description: 'The final meter reading; if omitted, energyWh comes from samples',
      }),
    ),
    stoppedAt: Type.Optional(
      Type.String({ format: 'date-time', description: 'When charging ended; default: now' }),
    ),
  },
  { additionalProperties: false },
);

/** Closes a transaction that its station did not stop. */
export function transactionCloseRoute(app: App, { database, keys, now }: ApiContext): void {
  app.post(
    '/transactions/:transactionId/close',
    {
      config: { role: 'operator', problems: [409] },
      schema: {
        operationId: 'closeTransaction',
        summary:
          "Close a transaction whose stop is not expected to arrive; if it does, the station's report takes precedence",
        tags: ['transactions'],
        params: TransactionParams,
        body: Close,
        response: { 200: Transaction },
      },
    },
    async (request) => {
      const { transactionId } = request.params;
      const { reason, meterStopWh = null, stoppedAt } = request.body;
      const at = now();
      const closure = {
        transactionId,
        by: await keys.nameOf(request),
        reason: reason.trim(),
        meterStopWh,
        stoppedAt: readTime(stoppedAt, 'stoppedAt') ?? at,
        at,
      };
      const isKnown = await transactionEndings.close(database, closure, (transaction) =>
        checkClosure(closure, transaction),
      );
      const transaction = isKnown ? await transactionList.get(database, transactionId) : undefined;
      if (!transaction) throw unknownTransaction(transactionId);
      return transaction;
    },
  );
}

function checkClosure(
  { transactionId, stoppedAt, meterStopWh, at }: transactionEndings.Closure,
  { state, startedAt, meterStartWh }: transactionEndings.Closable,
): void {
  if (state === 'stopped' || state === 'closed')
    throw new Problem(
      409,
      `transaction ${transactionId} is already ${state}; GET /api/v1/transactions/${transactionId} shows how`,
    );
  if (stoppedAt.getTime() > at.getTime() + MAX_AHEAD_MS)
    throw new Problem(400, 'stoppedAt must not be in the future; omit it for the current time', {
      field: 'stoppedAt',
    });
  if (stoppedAt < startedAt)
    throw new Problem(
      400,
      `stoppedAt must not be before the transaction started, at ${startedAt.toISOString()}`,
      { field: 'stoppedAt' },
    );
  if (meterStopWh !== null && meterStopWh < meterStartWh)
    throw new Problem(
      400,
      `meterStopWh must not be below the meterStartWh of the transaction, ${meterStartWh}; omit it if it is not known`,
      { field: 'meterStopWh' },
    );
}
