import type { SettingName, Settings } from '@evander/process';
import type { FileOptions } from './files.ts';

/** The variables about files. */
export const FILE_SETTINGS = [
  'maxFirmwareMib',
  'maxUploadMib',
  'fileLinkHours',
  'uploadDays',
  'fileTransfers',
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
