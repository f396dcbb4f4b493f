import { Type } from '@fastify/type-provider-typebox';
import type { Static } from '@fastify/type-provider-typebox';
import type { Db } from '../database/database.ts';
import { idOf, nullable, oneOf, StationId, Text, Time } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import * as campaignList from './campaign-list.store.ts';
import type { CampaignRow } from './campaign-list.store.ts';
import { CAMPAIGN_STATION_STATES } from './campaign-stations.store.ts';
import { CAMPAIGN_STATES, ROLLBACKS } from './firmware-campaigns.store.ts';

const YEAR_SECONDS = 366 * 86_400;

export const Signed = Type.Unsafe<boolean | 'auto'>({
  anyOf: [{ type: 'boolean' }, { type: 'string', enum: ['auto'] }],
  description:
    'SignedUpdateFirmware or UpdateFirmware; auto: signed if the file has a signature and the station supports it, else unsigned',
});
const RollbackOnStop = oneOf(
  ['none', ...ROLLBACKS],
  'Which stations get the rollback file when the campaign stops automatically: failed, updated or all of them',
);

/** The request body for a new campaign. */
export const CampaignBody = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    fileId: Type.String({ format: 'uuid' }),
    stationIds: Type.Optional(Type.Array(StationId, { minItems: 1, maxItems: 10_000, uniqueItems: true })),
    filter: Type.Optional(
      Type.Object(
        {
          vendor: Type.Optional(Type.String()),
          model: Type.Optional(Type.String()),
          firmwareVersion: Type.Optional(Type.String()),
        },
        {
          additionalProperties: false,
          minProperties: 1,
          description: 'As reported by the stations at boot',
        },
      ),
    ),
    signed: Type.Optional(Signed),
    waves: Type.Optional(
      Type.Object(
        {
          size: Type.Optional(Type.Integer({ minimum: 1 })),
          percent: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 100 })),
        },
        {
          additionalProperties: false,
          maxProperties: 1,
          examples: [{ percent: 10 }],
          description: 'Stations per wave; default: all in one wave',
        },
      ),
    ),
    maxFailures: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'The campaign stops if more stations than this fail or time out',
      }),
    ),
    maxFailurePercent: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 100,
        description:
          'The campaign stops if more than this percentage of the stations in the waves so far fail or time out',
      }),
    ),
    rollbackFileId: Type.Optional(Type.String({ format: 'uuid' })),
    rollbackOnStop: Type.Optional(RollbackOnStop),
    progressTimeoutSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: YEAR_SECONDS,
        default: 3600,
        description: 'A station that reports nothing new for this time is timed out',
      }),
    ),
    absenceTimeoutSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: YEAR_SECONDS,
        default: 86_400,
        description: 'A station that is away for this time in its wave is skipped',
      }),
    ),
    start: Type.Optional(
      Type.Boolean({ default: false, description: 'Start immediately; otherwise it is a draft' }),
    ),
  },
  { additionalProperties: false },
);

const Count = Type.Optional(Type.Integer());

/** A campaign as the API shows it. */
export const Campaign = Type.Object(
  {
    campaignId: Type.String(),
    name: Type.String(),
    state: oneOf(
      CAMPAIGN_STATES,
      'stopped: automatically, because too many stations failed or its file was removed',
    ),
    reason: nullable(Type.String({ description: 'Why it stopped' })),
    fileId: Type.String(),
    fileName: Type.String(),
    firmwareVersion: nullable(
      Type.String({ description: 'The firmware version that stations report after the update' }),
    ),
    rollbackFileId: Text,
    rollbackOnStop: RollbackOnStop,
    signed: Signed,
    waves: Type.Integer(),
    currentWave: Type.Integer({ description: '0: no wave has started' }),
    maxFailures: nullable(Type.Integer()),
    maxFailurePercent: nullable(Type.Number()),
    progressTimeoutSeconds: Type.Integer(),
    absenceTimeoutSeconds: Type.Integer(),
    createdBy: nullable(Type.String({ description: 'Name of the API key' })),
    createdAt: Time,
    startedAt: nullable(Time),
    endedAt: nullable(Time),
    stations: Type.Object(Object.fromEntries(CAMPAIGN_STATION_STATES.map((state) => [state, Count])), {
      description: 'Number of stations in each state',
    }),
  },
  { title: 'FirmwareCampaign', description: 'The campaign' },
);

/** A station of a campaign as the API shows it. */
export const CampaignStation = Type.Object(
  {
    stationId: Type.String(),
    wave: Type.Integer(),
    phase: oneOf(['update', 'rollback']),
    state: oneOf(
      CAMPAIGN_STATION_STATES,
      'waiting: for its wave, or for the station to connect. timedOut: it reported nothing new for too long. skipped: it did not connect in time, or needs no update',
    ),
    reason: nullable(Type.String({ description: 'Why it failed, or a note' })),
    updateState: nullable(Type.String({ description: 'Outcome of the update before a rollback' })),
    updateReason: Text,
    attempts: Type.Integer({ description: 'Number of commands sent to it' }),
    commandId: Text,
    jobId: nullable(
      Type.Integer({ description: 'The job of the last command; its history lists each status' }),
    ),
    firmwareVersionBefore: Text,
    firmwareVersion: nullable(Type.String({ description: 'Firmware version at its last boot' })),
    waitingSince: nullable(Time),
    sentAt: nullable(Time),
    downloadingAt: nullable(Time),
    downloadedAt: nullable(Time),
    installingAt: nullable(Time),
    completedAt: nullable(Time),
  },
  { title: 'CampaignStation' },
);
export const CampaignParams = Type.Object({ campaignId: idOf('campaign') });
export function shown({ signed, ...campaign }: CampaignRow): Static<typeof Campaign> {
  return { ...campaign, signed: signed === 'auto' ? signed : signed === 'yes' };
}

/** A campaign by its id, as the API shows it. Throws a 404 Problem if there is none. */
export async function findCampaign(db: Db, campaignId: string): Promise<Static<typeof Campaign>> {
  const campaign = await campaignList.get(db, campaignId);
  if (campaign) return shown(campaign);
  throw new Problem(
    404,
    `campaign ${campaignId} is not known; GET /api/v1/firmware-campaigns lists those that are`,
  );
}
