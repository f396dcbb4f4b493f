import { Type } from '@fastify/type-provider-typebox';
import { nullable, oneOf, Text, Time } from '../http/fields.ts';
import { GOALS } from './index.ts';
import type { GoalKind } from './index.ts';
import * as goals from './reconciliations.store.ts';

export const GOAL_KINDS = Object.keys(GOALS) as GoalKind[];
/** A goal as routes answer it. */

export const GoalSchema = Type.Object(
  {
    stationId: Type.String(),
    kind: Type.Unsafe<string>(oneOf(GOAL_KINDS, 'Which goal')),
    wanted: Type.Unsafe<object>(Type.Object({}, { additionalProperties: true })),
    state: oneOf(goals.GOAL_STATES, 'open: worked on whenever the station is there'),
    doing: nullable(Type.String({ description: 'What is being done, or why it failed' })),
    commandId: nullable(Type.String({ description: 'The last command sent for it' })),
    requestedBy: Text,
    requestedAt: Time,
    settledAt: nullable(Time),
  },
  { title: 'Goal', description: 'A desired state of a station, and its progress' },
);
