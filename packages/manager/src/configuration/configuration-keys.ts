import type { Profile } from '@evander/ocpp';

/** How a value's text is interpreted. */
export type ValueType = 'boolean' | 'integer' | 'list' | 'text' | 'hex';

/** A configuration key of OCPP 1.6 (1.6 §9, the security whitepaper and the Plug & Charge note). */
export interface ConfigurationKey {
  profile: Profile | 'PnC';
  type: ValueType;
  /** `either`: writable on some stations only. */
  access: 'read' | 'write' | 'readWrite' | 'either';
  unit?: 's' | 'Wh';
  /** Lower limit of an integer: values below it are invalid or harmful. */
  minimum?: number;
  maximum?: number;
}

const boolean = { type: 'boolean', access: 'readWrite' } as const;
const integer = { type: 'integer', access: 'readWrite' } as const;
const seconds = { ...integer, unit: 's' } as const;
const list = { type: 'list', access: 'readWrite' } as const;
const text = { type: 'text', access: 'readWrite' } as const;
const access = 'read';

const KEYS: Record<string, ConfigurationKey> = {
  AllowOfflineTxForUnknownId: { profile: 'Core', ...boolean },
  AuthorizationCacheEnabled: { profile: 'Core', ...boolean },
  AuthorizeRemoteTxRequests: { profile: 'Core', ...boolean, access: 'either' },
  BlinkRepeat: { profile: 'Core', ...integer },
  ClockAlignedDataInterval: { profile: 'Core', ...seconds },
  ConnectionTimeOut: { profile: 'Core', ...seconds },
  ConnectorPhaseRotation: { profile: 'Core', ...list },
  ConnectorPhaseRotationMaxLength: { profile: 'Core', ...integer, access },
  GetConfigurationMaxKeys: { profile: 'Core', ...integer, access },
  // Some stations interpret 0 as "send heartbeats continuously" (field-quirks 3).
  HeartbeatInterval: { profile: 'Core', ...seconds, minimum: 1 },
  LightIntensity: { profile: 'Core', ...integer },
  LocalAuthorizeOffline: { profile: 'Core', ...boolean },
  LocalPreAuthorize: { profile: 'Core', ...boolean },
  MaxEnergyOnInvalidId: { profile: 'Core', ...integer, unit: 'Wh' },
  MessageTimeout: { profile: 'Core', ...seconds },
  MeterValueSampleInterval: { profile: 'Core', ...seconds },
  MeterValuesAlignedData: { profile: 'Core', ...list },
  MeterValuesAlignedDataMaxLength: { profile: 'Core', ...integer, access },
  MeterValuesSampledData: { profile: 'Core', ...list },
  MeterValuesSampledDataMaxLength: { profile: 'Core', ...integer, access },
  MinimumStatusDuration: { profile: 'Core', ...seconds },
  NumberOfConnectors: { profile: 'Core', ...integer, access },
  ResetRetries: { profile: 'Core', ...integer },
  StopTransactionMaxMeterValues: { profile: 'Core', ...integer, access },
  StopTransactionOnEVSideDisconnect: { profile: 'Core', ...boolean, access: 'either' },
  StopTransactionOnInvalidId: { profile: 'Core', ...boolean },
  StopTxnAlignedData: { profile: 'Core', ...list },
  StopTxnAlignedDataMaxLength: { profile: 'Core', ...integer, access },
  StopTxnSampledData: { profile: 'Core', ...list },
  StopTxnSampledDataMaxLength: { profile: 'Core', ...integer, access },
  SupportedFeatureProfiles: { profile: 'Core', ...list, access },
  SupportedFeatureProfilesMaxLength: { profile: 'Core', ...integer, access },
  TransactionMessageAttempts: { profile: 'Core', ...integer },
  TransactionMessageRetryInterval: { profile: 'Core', ...seconds },
  UnlockConnectorOnEVSideDisconnect: { profile: 'Core', ...boolean, access: 'either' },
  WebSocketPingInterval: { profile: 'Core', ...seconds, minimum: 0 },
  SupportedFileTransferProtocols: { profile: 'FirmwareManagement', ...list, access },
  LocalAuthListEnabled: { profile: 'LocalAuthListManagement', ...boolean },
  LocalAuthListMaxLength: { profile: 'LocalAuthListManagement', ...integer, access },
  SendLocalListMaxLength: { profile: 'LocalAuthListManagement', ...integer, access },
  ReserveConnectorZeroSupported: { profile: 'Reservation', ...boolean, access },
  ChargeProfileMaxStackLevel: { profile: 'SmartCharging', ...integer, access },
  ChargingScheduleAllowedChargingRateUnit: { profile: 'SmartCharging', ...list, access },
  ChargingScheduleMaxPeriods: { profile: 'SmartCharging', ...integer, access },
  ConnectorSwitch3to1PhaseSupported: { profile: 'SmartCharging', ...boolean, access },
  MaxChargingProfilesInstalled: { profile: 'SmartCharging', ...integer, access },
  AdditionalRootCertificateCheck: { profile: 'Security', ...boolean, access },
  AuthorizationKey: { profile: 'Security', type: 'hex', access: 'write' },
  CertificateSignedMaxChainSize: { profile: 'Security', ...integer, access },
  CertificateStoreMaxLength: { profile: 'Security', ...integer, access },
  CpoName: { profile: 'Security', ...text },
  SecurityProfile: { profile: 'Security', ...integer, minimum: 0, maximum: 3 },
  CentralContractValidationAllowed: { profile: 'PnC', ...boolean },
  CertSigningRepeatTimes: { profile: 'PnC', ...integer, minimum: 0 },
  CertSigningWaitMinimum: { profile: 'PnC', ...seconds, minimum: 0 },
  ContractValidationOffline: { profile: 'PnC', ...boolean },
  ISO15118PnCEnabled: { profile: 'PnC', ...boolean },
};

const BY_LOWER = new Map(Object.entries(KEYS).map(([name, key]) => [name.toLowerCase(), key]));

/** Parses a boolean as stations write it; undefined if it is none. */
export function readBoolean(text: string): boolean | undefined {
  switch (text.trim().toLowerCase()) {
    case 'true':
    case '1':
      return true;
    case 'false':
    case '0':
      return false;
    default:
      return undefined;
  }
}

/** Parses an integer as stations write it, including `30.0`; undefined if it is none. */
export function readInteger(text: string): number | undefined {
  return /^\s*[+-]?\d{1,15}(?:\.0*)?\s*$/.test(text) ? Number(text) : undefined;
}

/** Whether two texts are the same value of a key. Stations may report a value in another spelling than it was set in. */
export function isSameValue(key: string, one: string | null, other: string): boolean {
  if (one === null) return false;
  const normalize = NORMALIZERS[configurationKey(key)?.type ?? 'text'];
  return one === other || normalize(one) === normalize(other);
}

// Unreadable values are compared as text. Lists are compared as sets.
const NORMALIZERS: Record<ValueType, (text: string) => string | number | boolean> = {
  boolean: (text) => readBoolean(text) ?? text,
  integer: (text) => readInteger(text) ?? text,
  list: (text) => {
    const items = text.split(',').map((item) => item.trim().toLowerCase());
    return [...new Set(items)]
      .filter((item) => item !== '')
      .sort()
      .join(',');
  },
  text: (text) => text,
  hex: (text) => text.toLowerCase(),
};

/** The definition of a standard key, by its name in any case; undefined for vendor keys. */
export function configurationKey(name: string): ConfigurationKey | undefined {
  return BY_LOWER.get(name.toLowerCase());
}
