import { readSettings, setting } from '@evander/process';
import type { Settings } from '@evander/process';
import type { FileOptions } from './files.ts';
import type { FtpOptions } from './ftp-server.ts';

/** Settings for files. */
export const FILE_SETTINGS = {
  maxFirmwareMib: setting('EVANDER_MAX_FIRMWARE_MIB', 'count', 512, 'Largest firmware file, in MiB'),
  maxUploadMib: setting(
    'EVANDER_MAX_UPLOAD_MIB',
    'count',
    100,
    'Largest file that a station may upload, in MiB',
  ),
  fileLinkHours: setting(
    'EVANDER_FILE_LINK_HOURS',
    'count',
    24,
    'Hours for which a link to fetch firmware or upload files is valid',
  ),
  uploadDays: setting('EVANDER_UPLOAD_DAYS', 'count', 90, 'Days to keep stations’ uploads'),
  fileTransfers: setting(
    'EVANDER_FILE_TRANSFERS',
    'count',
    100,
    'Downloads and uploads that one manager serves at once; each takes about 1 MiB of memory',
  ),
  ftpUrl: setting(
    'EVANDER_FTP_URL',
    'ftpUrl',
    undefined,
    'URL at which stations that support nothing else reach the managers’ FTP server, such as ftp://csms.example:2121; if unset, there is none',
  ),
  ftpPort: setting('EVANDER_FTP_PORT', 'port', 2121, 'Port of the FTP server, if EVANDER_FTP_URL is set'),
  ftpPassivePorts: setting(
    'EVANDER_FTP_PASSIVE_PORTS',
    'portRange',
    '2122-2171',
    'Ports for FTP data connections, one for each transfer at a time',
  ),
};

const MIB = 1024 ** 2;

export function fileOptions(settings: Settings<typeof FILE_SETTINGS>): FileOptions {
  return {
    maxFirmwareBytes: settings.maxFirmwareMib * MIB,
    maxUploadBytes: settings.maxUploadMib * MIB,
    linkMs: settings.fileLinkHours * 3_600_000,
    keepUploadsMs: settings.uploadDays * 86_400_000,
    maxTransfers: settings.fileTransfers,
  };
}

/** The default options. */
export const DEFAULT_FILE_OPTIONS = fileOptions(readSettings({}, FILE_SETTINGS));

/** Options of the FTP server; undefined if it is not enabled. */
export function ftpOptions(settings: Settings<typeof FILE_SETTINGS>): FtpOptions | undefined {
  const { ftpUrl: url, ftpPort: port } = settings;
  const [first = 0, last = 0] = settings.ftpPassivePorts.split('-').map(Number);
  return url === undefined ? undefined : { url, port, passivePorts: { first, last } };
}
