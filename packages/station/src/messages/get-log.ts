import type { Requests, Responses } from '@evander/ocpp';
import { deliver } from '../connection/deliver.ts';
import { logFile } from '../files/log-file.ts';
import { upload } from '../files/transfers.ts';
import type { CommandedStation } from './commanded-station.ts';

/** SEC N01: uploads a log to the location; every LogStatusNotification repeats the requestId. */
export function getLog(
  station: CommandedStation,
  { log, logType, requestId, retries, retryInterval }: Requests['GetLog'],
): Responses['GetLog'] {
  const file = logFile(station, logType === 'SecurityLog' ? 'security' : 'diagnostics');
  const isCanceled = station.jobs.start('log', {
    send: (status) => deliver(station, 'LogStatusNotification', { status, requestId }),
    run: async (job) => {
      await job.report('Uploading');
      const work = () => upload(station, log.remoteLocation, { ...file, signal: job.signal });
      await job.attempt(work, { failure: 'UploadFailure', retries, retryInterval });
      await job.pass('Uploaded', 'UploadFailure', 'BadMessage', 'PermissionDenied', 'NotSupportedOperation');
    },
  });
  return { status: isCanceled ? 'AcceptedCanceled' : 'Accepted', filename: file.name };
}
