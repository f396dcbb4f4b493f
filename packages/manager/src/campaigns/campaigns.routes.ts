import { INT32_MAX } from '@evander/ocpp';
import { Type } from '@fastify/type-provider-typebox';
import type { Static } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import type { Db } from '../database/database.ts';
import type { FileRow } from '../files/file-list.store.ts';
import { isSigned } from '../files/file-requests.ts';
import { findFile } from '../files/files.schemas.ts';
import { oneOf } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import * as campaignList from './campaign-list.store.ts';
import type { CampaignRow, CampaignStationRow } from './campaign-list.store.ts';
import { CAMPAIGN_STATION_STATES } from './campaign-stations.store.ts';
import {
  Campaign,
  CampaignBody,
  CampaignParams,
  CampaignStation,
  findCampaign,
  shown,
} from './campaigns.schemas.ts';
import { control, create } from './control.ts';
import type { Action, Plan } from './control.ts';
import { CAMPAIGN_STATES } from './firmware-campaigns.store.ts';

const Query = listQuery({ state: Type.Optional(oneOf(CAMPAIGN_STATES, 'Only campaigns in this state')) });
const StationQuery = listQuery({
  state: Type.Optional(oneOf(CAMPAIGN_STATION_STATES, 'Only stations in this state')),
  wave: Type.Optional(
    Type.Integer({ minimum: 1, maximum: INT32_MAX, description: 'Only stations of this wave' }),
  ),
});
const PAGER = new Pager(['time', 'uuid'], ({ createdAt, campaignId }: CampaignRow) => [
  createdAt.toISOString(),
  campaignId,
]);
const STATION_PAGER = new Pager(['integer', 'text'], ({ wave, stationId }: CampaignStationRow) => [
  wave,
  stationId,
]);
const tags = ['firmware campaigns'];

/** Routes for firmware campaigns, which update many stations in waves. */
export function campaignRoutes(app: App, context: ApiContext): void {
  addCreation(app, context);
  addReading(app, context);
  addStations(app, context);
}

function addCreation(app: App, { database, keys, now }: ApiContext): void {
  app.post(
    '/firmware-campaigns',
    {
      config: { role: 'operator', problems: [404, 422] },
      schema: {
        operationId: 'addFirmwareCampaign',
        summary: 'Create a campaign that updates stations in waves',
        tags,
        body: CampaignBody,
        response: { 201: Campaign },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const createdBy = await keys.nameOf(request);
      const plan = await planOf(database, body, { createdBy, createdAt: now() });
      const campaignId = await create(database, plan);
      if (body.start === true) {
        const order: Action = { action: 'start' };
        await control(database, campaignId, { order, now: now() });
      }
      reply.code(201).header('location', `/api/v1/firmware-campaigns/${campaignId}`);
      return findCampaign(database, campaignId);
    },
  );
}

async function planOf(
  db: Db,
  body: Static<typeof CampaignBody>,
  creation: { createdBy: string | null; createdAt: Date },
): Promise<Plan> {
  const { stationIds, filter = {}, signed = 'auto', rollbackFileId, rollbackOnStop = 'none' } = body;
  if (stationIds === undefined && body.filter === undefined)
    throw new Problem(
      400,
      'body: stationIds and filter are both missing; send at least one to select the stations',
    );
  const file = await findFirmware(db, body.fileId);
  if (signed === true && !isSigned(file)) throw notSigned(file);
  const rollbackFile = rollbackFileId === undefined ? undefined : await findFirmware(db, rollbackFileId);
  if (signed === true && rollbackFile && !isSigned(rollbackFile)) throw notSigned(rollbackFile);
  if (rollbackOnStop !== 'none' && !rollbackFile)
    throw new Problem(422, 'rollbackOnStop needs a rollbackFileId', { field: 'rollbackFileId' });
  const campaign = {
    ...creation,
    name: body.name ?? file.name,
    fileId: file.fileId,
    fileName: file.name,
    firmwareVersion: file.firmwareVersion,
    rollbackFileId: rollbackFileId ?? null,
    signed: signed === 'auto' ? signed : signed ? ('yes' as const) : ('no' as const),
    maxFailures: body.maxFailures ?? null,
    maxFailurePercent: body.maxFailurePercent ?? null,
    rollbackOnStop,
    progressTimeoutSeconds: body.progressTimeoutSeconds ?? 3600,
    absenceTimeoutSeconds: body.absenceTimeoutSeconds ?? 86_400,
  };
  return { campaign, choice: { stationIds, ...filter }, waveSize: body.waves ?? {} };
}

async function findFirmware(db: Db, fileId: string): Promise<FileRow> {
  const file = await findFile(db, fileId);
  if (file.kind === 'firmware') return file;
  throw new Problem(422, `file ${fileId} is not firmware, but an upload from a station`);
}

function notSigned({ fileId }: FileRow): Problem {
  return new Problem(
    422,
    `file ${fileId} has no signature and signing certificate; PUT them to /api/v1/files/${fileId}, or send signed: false`,
  );
}

function addReading(app: App, { database }: ApiContext): void {
  app.get(
    '/firmware-campaigns',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listFirmwareCampaigns',
        summary: 'Campaigns, newest first',
        tags,
        querystring: Query,
        response: { 200: pageOf(Campaign) },
      },
    },
    async ({ query }) => {
      const page = await PAGER.page(query, ({ after, rows }) =>
        campaignList.list(database, { ...query, after, rows }),
      );
      return { ...page, items: page.items.map(shown) };
    },
  );
  app.get(
    '/firmware-campaigns/:campaignId',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'getFirmwareCampaign',
        summary: 'A campaign, with the number of its stations in each state',
        tags,
        params: CampaignParams,
        response: { 200: Campaign },
      },
    },
    ({ params }) => findCampaign(database, params.campaignId),
  );
}

function addStations(app: App, { database }: ApiContext): void {
  app.get(
    '/firmware-campaigns/:campaignId/stations',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listFirmwareCampaignStations',
        summary: 'The stations of a campaign, by wave',
        tags,
        params: CampaignParams,
        querystring: StationQuery,
        response: { 200: pageOf(CampaignStation) },
      },
    },
    async ({ params, query }) => {
      await findCampaign(database, params.campaignId);
      return STATION_PAGER.page(query, ({ after, rows }) =>
        campaignList.stations(database, { ...params, ...query, after, rows }),
      );
    },
  );
}
