import type { Requests, Responses } from '@evander/ocpp';
import { deliver } from '../connection/deliver.ts';
import { logFile } from '../files/log-file.ts';
import { upload } from '../files/transfers.ts';
import type { CommandedStation } from './commanded-station.ts';
import { requireProfile } from './feature-profiles.ts';

/** §5.9: uploads a file to the location; DiagnosticsStatusNotifications report the progress. */
export function getDiagnostics(
  station: CommandedStation,
  { location, retries, retryInterval }: Requests['GetDiagnostics'],
): Responses['GetDiagnostics'] {
  requireProfile(station, 'FirmwareManagement');
  const file = logFile(station, 'diagnostics');
  station.jobs.start('diagnostics', {
    send: (status) => deliver(station, 'DiagnosticsStatusNotification', { status }),
    run: async (job) => {
      await job.report('Uploading');
      const work = () => upload(station, location, { ...file, signal: job.signal });
      await job.attempt(work, { failure: 'UploadFailed', retries, retryInterval });
      await job.pass('Uploaded', 'UploadFailed');
    },
  });
  return { fileName: file.name };
}
