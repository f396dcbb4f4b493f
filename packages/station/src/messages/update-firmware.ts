import type { Requests, Responses } from '@evander/ocpp';
import { deliver } from '../connection/deliver.ts';
import type { FileJob } from '../files/file-job.ts';
import { updateFirmware as update } from '../files/firmware-update.ts';
import type { CommandedStation } from './commanded-station.ts';
import { requireProfile } from './feature-profiles.ts';

type PlainStatus = Requests['FirmwareStatusNotification']['status'];

/** §5.19: the answer is empty; FirmwareStatusNotifications report the progress. */
export function updateFirmware(
  station: CommandedStation,
  { location, retrieveDate, retries, retryInterval }: Requests['UpdateFirmware'],
): Responses['UpdateFirmware'] {
  requireProfile(station, 'FirmwareManagement');
  station.jobs.start('firmware', {
    // A scripted outcome may have a status of the signed update only: then it is sent as scripted.
    send: (status) => deliver(station, 'FirmwareStatusNotification', { status: status as PlainStatus }),
    run: (job: FileJob<'firmware'>) =>
      update(station, job, { location, retrieveAt: retrieveDate, retries, retryInterval }),
  });
  return {};
}
