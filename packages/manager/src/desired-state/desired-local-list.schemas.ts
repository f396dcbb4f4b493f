import { Type } from '@fastify/type-provider-typebox';
import type { Static } from '@fastify/type-provider-typebox';
import type { Database } from '../database/database.ts';
import { nullable, oneOf, Text } from '../http/fields.ts';
import * as desiredLocalLists from './desired-local-lists.store.ts';
import * as reconciliations from './reconciliations.store.ts';

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
    group: nullable(Type.String({ description: 'Name of the group if the value comes from a group' })),
    state: nullable(
      oneOf(
        reconciliations.RECONCILIATION_STATES,
        'succeeded: the station has accepted all of it; null: it has not come since',
      ),
    ),
    doing: Text,
  },
  {
    title: 'DesiredLocalList',
    description: 'The desired tags, if any are set. Expired tags are left out',
  },
);
/** What is desired of a station's list; undefined when nobody has said anything. */
export async function desiredOf(
  database: Database,
  stationId: string,
): Promise<Static<typeof DesiredListSchema> | undefined> {
  const list = await desiredLocalLists.effective(database, stationId);
  if (!list) return undefined;
  const reconciliation = await reconciliations.get(database, stationId, 'localList');
  const source = list.group === null ? ('station' as const) : ('group' as const);
  return { ...list, source, state: reconciliation?.state ?? null, doing: reconciliation?.doing ?? null };
}
