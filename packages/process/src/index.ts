export { explained, explainFault, OperationalError, warnOf } from './environment-faults.ts';
export { createLog, silentLog } from './log.ts';
export type { Log } from './log.ts';
export { Metrics } from './metrics.ts';
export { networkOf } from './network-of.ts';
export { NewestMap } from './newest-map.ts';
export { runProcess } from './run.ts';
export type { Running } from './run.ts';
export {
  hideSecretText,
  HIDDEN,
  isAuthorizationKey,
  Redaction,
  withoutSecrets,
  withoutToken,
} from './redaction.ts';
export { Sealer } from './sealing.ts';
export { gatewayKeys, gatewaySecretOf, hashStationPassword, sealingKeyOf } from './secret.ts';
export type { GatewayKeys } from './secret.ts';
export { main } from './main.ts';
export type { ProcessOptions } from './main.ts';
export { RANGES } from './settings/kinds.ts';
export {
  describeSettings,
  listOf,
  readSettings,
  requireSetting,
  SettingsError,
  unknownVariables,
} from './settings/read.ts';
export { setting } from './settings/setting.ts';
export type { Setting, Settings, SettingTable } from './settings/setting.ts';
export { SHARED_SETTINGS } from './settings/shared.ts';
export { timeLimit } from './time-limit.ts';
export type { TimeLimit } from './time-limit.ts';
export { TokenBucket } from './token-bucket.ts';
export type { BucketLimits } from './token-bucket.ts';
export { startTracing } from './tracing.ts';
export type { EndTracing } from './tracing.ts';
