import { Type } from '@fastify/type-provider-typebox';
import { nullable, oneOf, Text, Time } from '../http/fields.ts';
import * as jobList from './job-list.store.ts';
import { JOB_KINDS } from './jobs.store.ts';

export const JOB = {
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
    'requested: the station has not answered. nothingToDo: it had nothing to upload. cancelled: a newer job replaced it. reportedUploaded: the station reported Uploaded, but no file has arrived; succeeded once it does',
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
export const Job = Type.Object(JOB, { title: 'Job' });
// Without hint, which depends on the settings of the manager that handles the request.
const ReportedJob = Type.Omit(Job, ['hint'], { title: 'ReportedJob' });

/** A station's report about an upload or an installation. */
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
