import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import * as desiredConfiguration from '../desired-state/desired-configuration.store.ts';
import type { DesiredKey } from '../desired-state/desired-configuration.store.ts';
import { nullable, oneOf, StationParams, Text, Time } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import type { App } from '../http/route.ts';
import { isSameValue } from './configuration-keys.ts';
import * as configurationList from './configuration-list.store.ts';
import type { ConfigurationRow } from './configuration-list.store.ts';

const Desired = Type.Object(
  {
    value: Type.String(),
    source: oneOf(['station', 'group'] as const, 'Where the value comes from'),
    group: nullable(Type.String({ description: 'Name of the group if the value comes from a group' })),
    outcome: nullable(
      oneOf(
        desiredConfiguration.OUTCOMES,
        'Result of applying the value. unreachable: no answer, will be retried; ineffective: RebootRequired, but not in effect after the boot. null: none yet',
      ),
    ),
    reason: Text,
    decidedAt: nullable(Time),
    drift: Type.Boolean({ description: 'The station accepted the value but now has another one' }),
    driftedAt: nullable(Type.Unsafe<Date>({ ...Time, description: 'When drift was last detected' })),
  },
  { description: 'The desired value of the key, if there is one' },
);
const Key = Type.Object(
  {
    key: Type.String(),
    value: nullable(
      Type.String({ description: 'null: not set. The value of AuthorizationKey is never shown' }),
    ),
    readonly: Type.Boolean(),
    rebootRequired: Type.Boolean({ description: 'The value takes effect after the next boot' }),
    readAt: nullable(
      Type.Unsafe<Date>({
        ...Time,
        description:
          'When the value was read from the station or accepted by it; null: never, the key is only desired',
      }),
    ),
    desired: Type.Optional(Desired),
  },
  { title: 'ConfigurationKey' },
);
const Query = listQuery({ key: Type.Optional(Type.String({ description: 'Only this key, in any case' })) });
const PAGER = new Pager(['text'], ({ key }: ConfigurationRow) => [key.toLowerCase()]);

/** Routes for the configuration of stations: as last reported, and as desired. */
export function configurationRoutes(app: App, context: ApiContext): void {
  const { database } = context;
  app.get(
    '/stations/:stationId/configuration',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listConfiguration',
        summary: 'Configuration keys of a station by name: as last reported or accepted, and as desired',
        tags: ['configuration'],
        params: StationParams,
        querystring: Query,
        response: { 200: pageOf(Key) },
      },
    },
    async ({ params: { stationId }, query }) => {
      const { items, nextCursor } = await PAGER.page(query, ({ after, rows }) =>
        configurationList.list(database, { ...query, stationId, after: after?.[0] ?? null, rows }),
      );
      const keys = items.map(({ key }) => key.toLowerCase());
      const desired = await desiredConfiguration.effective(database, stationId, keys);
      const byKey = new Map(desired.map((one) => [one.key.toLowerCase(), one]));
      return { items: items.map((item) => shown(item, byKey.get(item.key.toLowerCase()))), nextCursor };
    },
  );
}

function shown(item: ConfigurationRow, desired: DesiredKey | undefined) {
  if (!desired) return item;
  const { key, value, group, known } = desired;
  const tried = desired.tried?.value === value ? desired.tried : null;
  const differs = known !== null && !isSameValue(key, known.value, value);
  return {
    ...item,
    desired: {
      value,
      source: group === null ? ('station' as const) : ('group' as const),
      group,
      outcome: tried?.outcome ?? null,
      reason: tried?.reason ?? null,
      decidedAt: tried?.at ?? null,
      drift: differs && tried?.outcome === 'accepted',
      driftedAt: desired.tried?.driftedAt ?? null,
    },
  };
}
