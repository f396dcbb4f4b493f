export { createLog, silentLog } from './log.ts';
export type { Log } from './log.ts';
export { runProcess } from './run.ts';
export type { Running } from './run.ts';
export { deriveKey, hashStationPassword } from './secret.ts';
export { SETTINGS, SettingsError, describeSettings, readSettings, unknownVariables } from './settings.ts';
export type { SettingName, Settings } from './settings.ts';
