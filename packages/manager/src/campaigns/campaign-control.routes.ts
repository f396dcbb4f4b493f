import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { EmptyRequest, oneOf } from '../http/fields.ts';
import type { App } from '../http/route.ts';
import { Campaign, CampaignParams, findCampaign } from './campaigns.schemas.ts';
import { control } from './control.ts';
import type { Action } from './control.ts';
import { ROLLBACKS } from './firmware-campaigns.store.ts';

const Resume = Type.Object(
  {
    retryFailed: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'Send the update again to stations that failed or timed out',
      }),
    ),
  },
  { additionalProperties: false },
);
const RollBack = Type.Object(
  {
    stations: oneOf(
      ROLLBACKS,
      'failed: stations that failed or timed out; updated: those that were updated; all: both',
    ),
  },
  { additionalProperties: false },
);
const SIMPLE = {
  start: 'Start a draft',
  pause: 'Pause sending; updates under way continue',
  cancel: 'End the campaign: waiting stations are skipped; updates under way continue',
} as const;
const config = { role: 'operator' as const, problems: [409] };
const tags = ['firmware campaigns'];
const response = { 200: Campaign };

/** Routes that start, pause, resume, cancel and roll back campaigns. */
export function campaignControlRoutes(app: App, context: ApiContext): void {
  const { database, now } = context;
  const act = async (campaignId: string, order: Action) => {
    await control(database, campaignId, { order, now: now() });
    return findCampaign(database, campaignId);
  };
  for (const action of Object.keys(SIMPLE) as (keyof typeof SIMPLE)[])
    app.post(
      `/firmware-campaigns/:campaignId/${action}`,
      {
        config,
        schema: {
          operationId: `${action}FirmwareCampaign`,
          summary: SIMPLE[action],
          tags,
          params: CampaignParams,
          body: EmptyRequest,
          response,
        },
      },
      ({ params: { campaignId } }) => act(campaignId, { action }),
    );
  app.post(
    '/firmware-campaigns/:campaignId/resume',
    {
      config,
      schema: {
        operationId: 'resumeFirmwareCampaign',
        summary: 'Resume after a pause or a stop; resets the failure count',
        tags,
        params: CampaignParams,
        body: Resume,
        response,
      },
    },
    ({ params: { campaignId }, body: { retryFailed = false } }) =>
      act(campaignId, { action: 'resume', retryFailed }),
  );
  app.post(
    '/firmware-campaigns/:campaignId/rollback',
    {
      config,
      schema: {
        operationId: 'rollBackFirmwareCampaign',
        summary: 'Send the rollback file to stations of a campaign that has stopped or finished',
        tags,
        params: CampaignParams,
        body: RollBack,
        response,
      },
    },
    ({ params: { campaignId }, body }) => act(campaignId, { action: 'rollback', which: body.stations }),
  );
}
