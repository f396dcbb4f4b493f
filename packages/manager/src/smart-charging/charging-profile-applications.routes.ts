import { INT32_MAX } from '@evander/ocpp';
import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { RuleViolation } from '../commands/command.ts';
import { MAX_TTL_SECONDS } from '../commands/commands.schemas.ts';
import type { Db } from '../database/database.ts';
import { Int32, nullable, OfStation, oneOf, StationId, Text, Time } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import * as stationChoice from '../stations/station-choice.store.ts';
import type { StationChoice } from '../stations/station-choice.store.ts';
import { applyTemplate } from './apply-template.ts';
import * as applications from './charging-profile-applications.store.ts';
import type { ApplicationRow } from './charging-profile-applications.store.ts';
import { TemplateParams, unknownTemplate } from './charging-profile-templates.schemas.ts';
import * as templates from './charging-profile-templates.store.ts';
import type { TemplateRow } from './charging-profile-templates.store.ts';

const MAX_STATIONS = 500;
const Outcome = oneOf(
  applications.APPLICATION_OUTCOMES,
  'refused: nothing was sent, reason says why. accepted, rejected, notSupported: the answer of the station. The others: the state of the command',
);
const Application = Type.Object(
  {
    applicationId: Type.Integer(),
    stationId: Type.String(),
    connectorId: Type.Integer(),
    transactionId: nullable(Type.Integer({ description: 'Of a TxProfile' })),
    commandId: nullable(Type.String({ description: 'The SetChargingProfile' })),
    chargingRateUnit: nullable(Type.String({ description: 'The unit in which it was sent' })),
    outcome: Outcome,
    rule: nullable(Type.String({ description: 'The rule of OCPP that it would violate' })),
    reason: Text,
    requestedBy: nullable(Type.String({ description: 'Name of the API key' })),
    requestedAt: Time,
    completedAt: nullable(Time),
  },
  { title: 'ChargingProfileApplication' },
);
const Filter = Type.Object(
  {
    prefix: Type.Optional(Type.String({ description: 'Beginning of the id' })),
    vendor: Type.Optional(Type.String()),
    model: Type.Optional(Type.String()),
    connected: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false, description: 'Stations that match all fields; {} for all stations' },
);
const Apply = Type.Object(
  {
    stationIds: Type.Optional(
      Type.Array(StationId, { minItems: 1, maxItems: MAX_STATIONS, uniqueItems: true }),
    ),
    filter: Type.Optional(Filter),
    connectorId: Int32,
    transactionId: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: INT32_MAX,
        description:
          'Transaction of a TxProfile, for one station; default: the running transaction on the connector of each station',
      }),
    ),
    ttlSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_TTL_SECONDS,
        default: 0,
        description: 'Seconds to wait for stations that are not connected; 0: refuse immediately',
      }),
    ),
  },
  { additionalProperties: false, examples: [{ stationIds: ['CP1', 'CP2'], connectorId: 1 }] },
);
const PAGER = new Pager(['integer'], ({ applicationId }: ApplicationRow) => [applicationId]);
const PATH = '/charging-profile-templates/:templateId';
const tags = ['smart charging'];

/** Applications of templates to stations, with the outcome at each. */
export function chargingProfileApplicationRoutes(app: App, context: ApiContext): void {
  const { database } = context;
  addApply(app, context);
  app.get(
    `${PATH}/applications`,
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listChargingProfileApplications',
        summary: 'Applications of a charging profile template with their outcome, newest first',
        tags,
        params: TemplateParams,
        querystring: listQuery({
          stationId: OfStation,
          outcome: Type.Optional(oneOf(applications.APPLICATION_OUTCOMES, 'Only with this outcome')),
        }),
        response: { 200: pageOf(Application) },
      },
    },
    async ({ params: { templateId }, query }) => {
      await requireTemplate(database, templateId);
      return PAGER.page(query, ({ after, rows }) =>
        applications.list(database, { ...query, templateId, before: after?.[0] ?? null, rows }),
      );
    },
  );
}

function addApply(app: App, { database, callMaker, keys, now }: ApiContext): void {
  app.post(
    `${PATH}/apply`,
    {
      config: { role: 'operator', problems: [422] },
      schema: {
        operationId: 'applyChargingProfileTemplate',
        summary:
          'Apply a charging profile template to stations: one SetChargingProfile each, with its outcome at …/applications',
        tags,
        params: TemplateParams,
        body: Apply,
        response: {
          202: Type.Object(
            { items: Type.Array(Application) },
            {
              title: 'ChargingProfileApplications',
              description: 'What was sent or refused, for each station',
            },
          ),
        },
      },
    },
    async (request, reply) => {
      const { templateId } = request.params;
      const { connectorId, transactionId, ttlSeconds = 0 } = request.body;
      const template = await requireTemplate(database, templateId);
      const stationIds = await selectStations(database, request.body);
      checkTarget(template, { connectorId, transactionId, stations: stationIds.length });
      const requestedBy = await keys.nameOf(request);
      const ids = await applyTemplate(
        { database, callMaker },
        { template, stationIds, connectorId, transactionId, ttlSeconds, requestedBy, at: now() },
      );
      const items = await applications.list(database, { templateId, before: null, ids, rows: ids.length });
      return reply.code(202).send({ items: items.sort((a, b) => (a.stationId < b.stationId ? -1 : 1)) });
    },
  );
}

async function requireTemplate(db: Db, templateId: string): Promise<TemplateRow> {
  const template = await templates.get(db, templateId);
  if (!template) throw unknownTemplate(templateId);
  return template;
}

async function selectStations(
  db: Db,
  { stationIds, filter }: { stationIds?: string[]; filter?: StationChoice },
): Promise<string[]> {
  if ((stationIds === undefined) === (filter === undefined))
    throw new Problem(400, 'body: send either stationIds or filter', { field: 'stationIds' });
  if (filter === undefined) return stationIds ?? [];
  const found = await stationChoice.choose(db, filter, MAX_STATIONS + 1);
  if (found.length === 0)
    throw new Problem(422, 'filter: no station matches it; GET /api/v1/stations lists the known stations', {
      field: 'filter',
    });
  if (found.length > MAX_STATIONS)
    throw new Problem(422, `filter: more than ${MAX_STATIONS} stations match it; narrow it by prefix`, {
      field: 'filter',
    });
  return found;
}

/** Checks what applies to every station: throws RuleViolation or Problem. */
function checkTarget(
  { definition: { purpose } }: TemplateRow,
  target: { connectorId: number; transactionId: number | undefined; stations: number },
): void {
  const { connectorId, transactionId, stations } = target;
  if (purpose === 'ChargePointMaxProfile' && connectorId !== 0)
    throw new RuleViolation(
      'SetProfile.1',
      'a ChargePointMaxProfile is for the station as a whole: connectorId must be 0',
    );
  if (purpose === 'TxProfile' && connectorId === 0)
    throw new RuleViolation(
      'SetProfile.1',
      'a TxProfile is for one connector: connectorId must be 1 or higher',
    );
  if (transactionId === undefined) return;
  if (purpose !== 'TxProfile')
    throw new RuleViolation('SetProfile.2', `a ${purpose} belongs to no transaction: omit transactionId`);
  if (stations !== 1)
    throw new Problem(
      422,
      'transactionId belongs to one station; send exactly one of stationIds, or omit transactionId',
      {
        field: 'transactionId',
      },
    );
}
