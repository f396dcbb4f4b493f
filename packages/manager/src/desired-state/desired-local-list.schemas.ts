import { Type } from '@fastify/type-provider-typebox';
import type { Static } from '@fastify/type-provider-typebox';
import type { Database } from '../database/database.ts';
import { nullable, oneOf, Text } from '../http/fields.ts';
import * as desiredLocalLists from './desired-local-lists.store.ts';
import * as reconciliations from './reconciliations.store.ts';

export const LIST_FIELDS = {
  all: Type.Boolean(),
  tags: Type.Array(Type.String()),
  parentIdTags: Type.Array(Type.String()),
};

/** The desired tags of a station's list, and the progress. */
export const DesiredListSchema = Type.Object(
  {
    ...LIST_FIELDS,
    source: oneOf(['station', 'group'] as const, 'Where the list comes from'),
    group: nullable(Type.String({ description: 'Name of the group if the value comes from a group' })),
    state: nullable(
      oneOf(
        reconciliations.RECONCILIATION_STATES,
        'succeeded: the station has accepted all entries; null: it has not connected since',
      ),
    ),
    doing: Text,
  },
  {
    title: 'DesiredLocalList',
    description: 'The desired tags, if any are set. Expired tags are omitted',
  },
);
/** The desired list of a station, with its progress; undefined if none is set. */
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
