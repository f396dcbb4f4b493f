import { Type } from '@fastify/type-provider-typebox';
import { nullable, oneOf, Text, Time } from '../http/fields.ts';
import { DESIRED_STATES } from './index.ts';
import type { ReconciliationKind } from './index.ts';
import * as reconciliations from './reconciliations.store.ts';

export const RECONCILIATION_KINDS = Object.keys(DESIRED_STATES) as ReconciliationKind[];
/** A reconciliation as the API shows it. */
export const ReconciliationSchema = Type.Object(
  {
    stationId: Type.String(),
    kind: Type.Unsafe<string>(oneOf(RECONCILIATION_KINDS, 'Which reconciliation')),
    desired: Type.Unsafe<object>(Type.Object({}, { additionalProperties: true })),
    state: oneOf(
      reconciliations.RECONCILIATION_STATES,
      'open: in progress whenever the station is connected',
    ),
    doing: nullable(Type.String({ description: 'What is being done, or why it failed' })),
    commandId: nullable(Type.String({ description: 'The last command sent for it' })),
    requestedBy: Text,
    requestedAt: Time,
    completedAt: nullable(Time),
  },
  { title: 'Reconciliation', description: 'A desired state of a station, and its progress' },
);
