import { Type } from '@fastify/type-provider-typebox';
import * as goals from './reconciliations.store.ts';
import { oneOf, nullable, Text } from '../http/fields.ts';

export const WANTED = {
  all: Type.Boolean(),
  tags: Type.Array(Type.String()),
  parentIdTags: Type.Array(Type.String()),
};

/** Which tags the list of a station is to have, and how far that is. */
export const DesiredListSchema = Type.Object(
  {
    ...WANTED,
    source: oneOf(['station', 'group'] as const, 'Whose word counts here'),
    group: nullable(Type.String({ description: 'Name of the group, when it is a group’s' })),
    state: nullable(
      oneOf(goals.GOAL_STATES, 'reached: the station has accepted all of it; null: it has not come since'),
    ),
    doing: Text,
  },
  {
    title: 'DesiredLocalList',
    description:
      'Which tags it is to have; only where somebody has said so. Those that have expired are left out',
  },
);
