import type { SettingName, Settings } from '@evander/process';
import type { FileOptions } from './files.ts';
import type { FtpOptions } from './ftp-server.ts';

/** Settings for files. */
export const FILE_SETTINGS = [
  'maxFirmwareMib',
  'maxUploadMib',
  'fileLinkHours',
  'uploadDays',
  'fileTransfers',
  'ftpUrl',
  'ftpPort',
  'ftpPassivePorts',
] as const satisfies readonly SettingName[];

const MIB = 1024 ** 2;

export function fileOptions(settings: Settings<(typeof FILE_SETTINGS)[number]>): FileOptions {
  return {
    maxFirmwareBytes: settings.maxFirmwareMib * MIB,
    maxUploadBytes: settings.maxUploadMib * MIB,
    linkMs: settings.fileLinkHours * 3_600_000,
    keepUploadsMs: settings.uploadDays * 86_400_000,
    maxTransfers: settings.fileTransfers,
  };
}

/** Options of the FTP server; undefined if it is not enabled. */
export function ftpOptions(
  settings: Settings<'ftpUrl' | 'ftpPort' | 'ftpPassivePorts'>,
): FtpOptions | undefined {
  const { ftpUrl: url, ftpPort: port } = settings;
  const [first = 0, last = 0] = settings.ftpPassivePorts.split('-').map(Number);
  return url === undefined ? undefined : { url, port, passivePorts: { first, last } };
}
