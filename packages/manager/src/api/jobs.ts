import { Type } from '@fastify/type-provider-typebox';
import { hintFor } from '../files/job-hint.ts';
import * as jobList from '../store/job-list.ts';
import type { JobRow } from '../store/job-list.ts';
import { JOB_KINDS } from '../store/jobs.ts';
import { JobId, nullable, oneOf, StationParams, Text, Time } from './fields.ts';
import { listQuery, pageOf, Pager } from './paging.ts';
import { Problem } from './problem.ts';
import type { ApiContext, App } from './route.ts';

const HISTORY_ROWS = 500;

const JOB = {
  jobId: Type.Integer(),
  stationId: Type.String(),
  kind: oneOf(
    JOB_KINDS,
    'By the command: GetDiagnostics, GetLog, UpdateFirmware or SignedUpdateFirmware, in this order',
  ),
  commandId: Type.String({ description: 'The command that started it' }),
  otherCommandId: nullable(
    Type.String({
      description: 'The UpdateFirmware that was sent because the station does not know SignedUpdateFirmware',
    }),
  ),
  requestId: nullable(Type.Integer({ description: 'Null for diagnostics and firmware, which have none' })),
  logType: Text,
  location: Type.String({ description: 'Source or destination of the file, without its password' }),
  fileName: nullable(Type.String({ description: 'Name of the upload, as given by the station' })),
  filesReceived: nullable(
    Type.Integer({
      description: 'Files received for it; null if they go elsewhere or none is expected',
    }),
  ),
  outcome: oneOf(
    jobList.SHOWN_OUTCOMES,
    'requested: the station has not answered. nothingToDo: it had nothing to upload. cancelled: a newer job took its place. reportedUploaded: the station said Uploaded, but no file has come here; should it still come, succeeded',
  ),
  reason: nullable(Type.String({ description: 'Why it failed or was cancelled' })),
  hint: nullable(Type.String({ description: 'What can be done about it' })),
  status: nullable(
    Type.String({ description: 'Last status reported by the station', examples: ['Uploaded'] }),
  ),
  statusAt: nullable(Time),
  requestedAt: Time,
  acceptedAt: nullable(Time),
  startedAt: nullable(Time),
  endedAt: nullable(Time),
  silentSince: nullable(
    Type.Unsafe<Date>({
      type: 'string',
      format: 'date-time',
      description:
        'Time of the last report about a running job, once that is an hour ago; null otherwise. A later report still counts; a newer job ends this one',
    }),
  ),
  firmwareVersionBefore: Text,
  firmwareVersionAfter: nullable(
    Type.String({ description: 'Firmware version at a boot during the update or shortly after' }),
  ),
};
const Job = Type.Object(JOB, { title: 'Job' });
// What hint there is depends on the settings of the manager that is asked.
const ReportedJob = Type.Omit(Job, ['hint'], { title: 'ReportedJob' });
/** What a station said of an upload or an installation. */
export const StatusNotification = Type.Object(
  {
    stationId: Type.String(),
    kind: oneOf(JOB_KINDS),
    status: Type.String({ examples: ['Uploaded'] }),
    requestId: nullable(Type.Integer({ description: 'As the station sent it' })),
    receivedAt: Time,
    job: nullable(ReportedJob),
  },
  {
    title: 'StatusNotification',
    description: 'A report of a station, and its job if there is one',
  },
);
const JobWithHistory = Type.Object(
  {
    ...JOB,
    history: Type.Array(Type.Object({ status: Type.String({ examples: ['Uploaded'] }), receivedAt: Time }), {
      description: `What the station said of it, newest first, the last ${HISTORY_ROWS}`,
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

/** Jobs: what stations upload and install for us. */
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
