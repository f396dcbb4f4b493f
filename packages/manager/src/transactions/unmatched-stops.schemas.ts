import { Type } from '@fastify/type-provider-typebox';
import { nullable, oneOf, Text, Time } from '../http/fields.ts';
import { MISMATCHES, UNMATCHED_STOP_STATES } from './unmatched-stops.store.ts';

/** A stop that ended no transaction, as the API shows it. */
export const UnmatchedStop = Type.Object(
  {
    unmatchedStopId: Type.Integer(),
    stationId: Type.String(),
    transactionId: Type.Integer({ description: 'As the station sent it; 0 or below: without an id' }),
    idTag: Text,
    meterStopWh: Type.Integer(),
    stoppedAt: Time,
    stopReason: Type.String(),
    why: oneOf(
      MISMATCHES,
      'Why it ended no transaction: none matches, several match, or another stop ended the matching one',
    ),
    state: oneOf(UNMATCHED_STOP_STATES),
    assignedTransactionId: nullable(Type.Integer({ description: 'The transaction that it was assigned to' })),
    resolvedAt: nullable(Time),
    resolvedBy: nullable(Type.String({ description: 'Name of the API key' })),
    resolutionReason: Text,
    request: Type.Unknown({ description: 'The StopTransaction itself' }),
    receivedAt: Time,
  },
  { title: 'UnmatchedStop', description: 'The stop, and what was decided about it' },
);
