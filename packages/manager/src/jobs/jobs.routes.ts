import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import { hintFor } from '../files/job-hint.ts';
import { JobId, oneOf, StationParams, Time } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import * as jobList from './job-list.store.ts';
import type { JobRow } from './job-list.store.ts';
import { JOB, Job } from './jobs.schemas.ts';
import { JOB_KINDS } from './jobs.store.ts';

const HISTORY_ROWS = 500;

const JobWithHistory = Type.Object(
  {
    ...JOB,
    history: Type.Array(Type.Object({ status: Type.String({ examples: ['Uploaded'] }), receivedAt: Time }), {
      description: `The last ${HISTORY_ROWS} reports of the station, newest first`,
    }),
  },
  { title: 'JobWithHistory', description: 'The job' },
);
const Query = listQuery({
  kind: Type.Optional(oneOf(JOB_KINDS, 'Only jobs of this kind')),
  outcome: Type.Optional(oneOf(jobList.SHOWN_OUTCOMES, 'Only jobs with this outcome')),
  silent: Type.Optional(
    Type.Boolean({ description: 'true: only running ones without a report for an hour; false: only others' }),
  ),
});
const Params = Type.Object({ jobId: JobId });
type ShownJob = JobRow & { hint: string | null };

const PAGER = new Pager(['integer'], ({ jobId }: ShownJob) => [jobId]);
const tags = ['jobs'];

/** Routes for jobs: uploads and firmware updates of stations. */
export function jobRoutes(app: App, { database, files }: ApiContext): void {
  const withHint = (job: JobRow): ShownJob => ({ ...job, hint: hintFor(job, files.options) });
  app.get(
    '/stations/:stationId/jobs',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listJobs',
        summary: 'Uploads of diagnostics and logs, and firmware updates, of a station; newest first',
        tags,
        params: StationParams,
        querystring: Query,
        response: { 200: pageOf(Job) },
      },
    },
    ({ params, query }) =>
      PAGER.page(query, async ({ after, rows }) => {
        const filter = { ...params, ...query, before: after?.[0] ?? null, rows };
        return (await jobList.list(database, filter)).map(withHint);
      }),
  );
  app.get(
    '/jobs/:jobId',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'getJob',
        summary: 'A job with the reports of the station',
        tags,
        params: Params,
        response: { 200: JobWithHistory },
      },
    },
    async ({ params: { jobId } }) => {
      const job = await jobList.get(database, jobId);
      if (!job)
        throw new Problem(
          404,
          `job ${jobId} is not known; GET /api/v1/stations/{stationId}/jobs lists those that are`,
        );
      return { ...withHint(job), history: await jobList.history(database, jobId, HISTORY_ROWS) };
    },
  );
}
