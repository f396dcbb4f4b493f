import { Type } from '@fastify/type-provider-typebox';
import { ConnectorId, nullable, OfStation, oneOf, Text, Time, TimeText } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { ENERGY_SOURCES, TRANSACTION_FLAGS, TRANSACTION_STATES } from './transaction-state.store.ts';

export const State = oneOf(
  TRANSACTION_STATES,
  'stopped: by its station. lost: the next start on its connector arrived without its stop. closed: by an operator. A late stop changes it to stopped',
);
export const Closure = nullable(
  Type.Object(
    {
      closedAt: TimeText,
      closedBy: nullable(Type.String({ description: 'Name of the API key' })),
      reason: Type.String(),
      meterStopWh: nullable(Type.Integer()),
      stoppedAt: TimeText,
    },
    { description: 'How an operator closed it; stays if the stop of the station arrives later' },
  ),
);

/** A transaction in responses. */
export const Transaction = Type.Object(
  {
    transactionId: Type.Integer(),
    stationId: Type.String(),
    connectorId: Type.Integer(),
    state: { ...State, examples: ['stopped'] },
    idTag: Type.String(),
    parentIdTag: Text,
    idTagStatus: Type.String({ description: 'Status of the tag in the response to the start' }),
    startedAt: Time,
    meterStartWh: Type.Integer(),
    reservationId: nullable(Type.Integer()),
    remoteStartCommandId: nullable(
      Type.String({ description: 'The RemoteStartTransaction that started it' }),
    ),
    stoppedAt: nullable(Time),
    meterStopWh: nullable(Type.Integer()),
    energyWh: nullable(
      Type.Integer({ description: 'The energy so far while it is open; null without a usable reading' }),
    ),
    energySource: nullable(
      oneOf(
        ENERGY_SOURCES,
        'The source of energyWh: the stop, the sample at Transaction.End, the closure, or the highest sample',
      ),
    ),
    stopReason: Text,
    stopIdTag: Text,
    endedAt: nullable(
      Type.Unsafe<Date>({
        ...Time,
        description: 'stoppedAt; else the time of its closure; else the time of the next start',
      }),
    ),
    closure: Closure,
    flags: Type.Array(Type.String(), {
      description: `Anomalies for an operator to review: ${TRANSACTION_FLAGS.join(', ')}`,
    }),
    startReceivedAt: Time,
    stopReceivedAt: nullable(Time),
  },
  { title: 'Transaction', description: 'The transaction; fields of its stop are null while it is open' },
);

/** Query parameters that filter transactions. */
export const TRANSACTION_FILTERS = {
  stationId: OfStation,
  connectorId: Type.Optional(ConnectorId),
  idTag: Type.Optional(Type.String({ description: 'Only with this tag, case-insensitive' })),
  open: Type.Optional(Type.Boolean({ description: 'true: only open ones; false: only ended ones' })),
  state: Type.Optional(oneOf(TRANSACTION_STATES, 'Only transactions in this state')),
  flag: Type.Optional(oneOf(TRANSACTION_FLAGS, 'Only transactions with this flag')),
  remoteStartCommandId: Type.Optional(
    Type.String({ format: 'uuid', description: 'Only the one started by this RemoteStartTransaction' }),
  ),
  from: Type.Optional(Type.String({ format: 'date-time', description: 'Started at or after this time' })),
  to: Type.Optional(Type.String({ format: 'date-time', description: 'Started before this time' })),
};

/** The 404 for an unknown transaction. */
export function unknownTransaction(transactionId: number): Problem {
  return new Problem(
    404,
    `transaction ${transactionId} is not known; GET /api/v1/transactions lists the known ones`,
  );
}
