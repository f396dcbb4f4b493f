import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { RuleViolation } from '../commands/command.ts';
import { configurationKey } from '../configuration/configuration-keys.ts';
import { checkType } from '../configuration/configuration.rules.ts';
import type { Db } from '../database/database.ts';
import { nullable, oneOf, StationParams } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import { GroupParams, requireGroup } from '../stations/station-groups.schemas.ts';
import * as desiredConfiguration from './desired-configuration.store.ts';
import type { Owner, ResetRule } from './desired-configuration.store.ts';
import * as openReconciliations from './open-reconciliations.store.ts';
import { ReconciliationSchema } from './reconciliations.schemas.ts';

const Reset = oneOf(
  ['never', 'whenIdle'] as const,
  'whenIdle: a station that answered RebootRequired is reset when no transaction runs there. Default: never',
);
const Body = Type.Object(
  {
    values: Type.Record(
      Type.String({ pattern: '^[\\x20-\\x7e]{1,50}$' }),
      nullable(Type.String({ maxLength: 500 })),
      {
        additionalProperties: false,
        maxProperties: 500,
        description: 'Values by key; null: stop managing the key. Omitted keys are unchanged',
      },
    ),
    reset: Type.Optional(nullable(Reset)),
  },
  { additionalProperties: false, title: 'DesiredConfiguration' },
);
const GroupConfiguration = Type.Object(
  {
    values: Type.Record(Type.String(), Type.String()),
    stations: Type.Integer({ description: 'Number of stations that it applies to' }),
  },
  { title: 'GroupConfiguration', description: 'The desired configuration of the stations of a group' },
);
const tags = ['configuration'];

/** Routes for the desired configuration of stations and groups. */
export function desiredConfigurationRoutes(app: App, context: ApiContext): void {
  addOfStation(app, context);
  addOfGroup(app, context);
}

function addOfStation(app: App, { database, now, keys }: ApiContext): void {
  app.put(
    '/stations/:stationId/configuration',
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'putDesiredConfiguration',
        summary:
          'Set the desired values of configuration keys of a station: Evander applies them and corrects drift',
        description:
          'Responds immediately; GET shows the outcome of each key. Overrides the groups of the station.',
        tags,
        params: StationParams,
        body: Body,
        response: { 202: ReconciliationSchema },
      },
    },
    async (request, reply) => {
      const { stationId } = request.params;
      const requestedBy = await keys.nameOf(request);
      const reconciliation = await database.transaction(async (db) => {
        await putValues(db, { stationId }, request.body);
        return openReconciliations.ofStation(db, stationId, {
          kind: 'configuration',
          requestedBy,
          at: now(),
        });
      });
      return reply.code(202).send(reconciliation);
    },
  );
}

function addOfGroup(app: App, { database, now, keys }: ApiContext): void {
  const path = '/station-groups/:name/configuration';
  const shown = async (name: string) => {
    const { stations } = await requireGroup(database, name);
    return { values: await desiredConfiguration.own(database, { group: name }), stations };
  };
  app.get(
    path,
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'getGroupConfiguration',
        summary: 'The desired values of configuration keys of the stations of a group',
        tags,
        params: GroupParams,
        response: { 200: GroupConfiguration },
      },
    },
    ({ params: { name } }) => shown(name),
  );
  app.put(
    path,
    {
      config: { role: 'operator' },
      schema: {
        operationId: 'putGroupConfiguration',
        summary: 'Set the desired values of configuration keys of the stations of a group',
        tags,
        params: GroupParams,
        body: Body,
        response: { 202: GroupConfiguration },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      await requireGroup(database, name);
      const requestedBy = await keys.nameOf(request);
      await database.transaction(async (db) => {
        await putValues(db, { group: name }, request.body);
        await openReconciliations.ofGroup(db, name, { kind: 'configuration', requestedBy, at: now() });
      });
      return reply.code(202).send(await shown(name));
    },
  );
}

async function putValues(
  db: Db,
  owner: Owner,
  { values, reset }: { values: Record<string, string | null>; reset?: ResetRule | null },
): Promise<void> {
  const seen = new Set<string>();
  for (const [key, value] of Object.entries(values)) {
    const field = `values.${key}`;
    if (seen.has(key.toLowerCase()))
      throw new Problem(400, `${key} is given twice: keys are case-insensitive; send it once`, { field });
    seen.add(key.toLowerCase());
    if (value !== null) requireValid(key, value);
  }
  await desiredConfiguration.put(db, owner, values);
  if (reset !== undefined) await desiredConfiguration.setReset(db, owner, reset);
}

const ALTERNATIVES: Record<string, string> = {
  authorizationkey: 'POST /stations/{stationId}/password-rotation',
  securityprofile: 'PUT /stations/{stationId}/security-profile',
};

function requireValid(key: string, value: string): void {
  const field = `values.${key}`;
  const alternative = ALTERNATIVES[key.toLowerCase()];
  if (alternative !== undefined)
    throw new Problem(
      400,
      `${key} cannot be set here, because the station might no longer connect; use ${alternative}`,
      {
        field,
      },
    );
  if (configurationKey(key)?.access === 'read')
    throw new Problem(400, `${key} is read-only (OCPP 1.6 §9); omit it`, { field });
  try {
    checkType({ key, value });
  } catch (error) {
    if (!(error instanceof RuleViolation)) throw error;
    throw new Problem(400, `${error.message}, not ${JSON.stringify(value)}`, {
      field,
      rule: error.rule,
    });
  }
}
