/** A configuration key of the station. */
export type ConfigurationKey = {
  value?: string;
  access: 'R' | 'RW' | 'W';
  kind: 'integer' | 'boolean' | 'text' | 'measurands';
};

/** The measurands of the simulated meter. */
export const METER_MEASURANDS = [
  'Energy.Active.Import.Register',
  'Power.Active.Import',
  'Current.Import',
  'Voltage',
  'SoC',
] as const;

const integer = (value: number): ConfigurationKey => ({
  value: String(value),
  access: 'RW',
  kind: 'integer',
});
const fixed = (value: number | string): ConfigurationKey => ({
  value: String(value),
  access: 'R',
  kind: 'text',
});
const boolean = (value: boolean): ConfigurationKey => ({
  value: String(value),
  access: 'RW',
  kind: 'boolean',
});
const measurands = (...names: string[]): ConfigurationKey => ({
  value: names.join(','),
  access: 'RW',
  kind: 'measurands',
});

/** The keys for Plug & Charge; the two about signing are also used elsewhere. */
export const PNC_KEYS: Record<string, ConfigurationKey> = {
  CentralContractValidationAllowed: boolean(false),
  CertSigningRepeatTimes: integer(2),
  CertSigningWaitMinimum: integer(60),
  ContractValidationOffline: boolean(true),
  ISO15118PnCEnabled: boolean(true),
};

/** The keys that a station has by default, with their types and access. */
export function defaultKeys(connectors: number): Record<string, ConfigurationKey> {
  return {
    AdditionalRootCertificateCheck: fixed('false'),
    AllowOfflineTxForUnknownId: boolean(true),
    AuthorizationCacheEnabled: boolean(true),
    AuthorizationKey: { access: 'W', kind: 'text' },
    AuthorizeRemoteTxRequests: boolean(false),
    CertificateSignedMaxChainSize: fixed(10_000),
    CertificateStoreMaxLength: fixed(10),
    ChargeProfileMaxStackLevel: fixed(10),
    ChargingScheduleAllowedChargingRateUnit: fixed('Current,Power'),
    ChargingScheduleMaxPeriods: fixed(24),
    ClockAlignedDataInterval: integer(0),
    ConnectionTimeOut: integer(60),
    ConnectorPhaseRotation: { value: '0.RST', access: 'RW', kind: 'text' },
    ConnectorSwitch3to1PhaseSupported: fixed('false'),
    CpoName: { value: 'Evander', access: 'RW', kind: 'text' },
    GetConfigurationMaxKeys: fixed(50),
    HeartbeatInterval: integer(300),
    LocalAuthListEnabled: boolean(true),
    LocalAuthListMaxLength: fixed(1000),
    LocalAuthorizeOffline: boolean(true),
    LocalPreAuthorize: boolean(false),
    MaxChargingProfilesInstalled: fixed(20),
    MaxEnergyOnInvalidId: integer(0),
    MeterValuesAlignedData: measurands(),
    MeterValueSampleInterval: integer(60),
    MeterValuesSampledData: measurands(...METER_MEASURANDS),
    MeterValuesSampledDataMaxLength: fixed(METER_MEASURANDS.length),
    MinimumStatusDuration: integer(0),
    NumberOfConnectors: fixed(connectors),
    ReserveConnectorZeroSupported: fixed('true'),
    ResetRetries: integer(1),
    SecurityProfile: integer(0),
    SendLocalListMaxLength: fixed(100),
    StopTransactionOnEVSideDisconnect: boolean(true),
    StopTransactionOnInvalidId: boolean(true),
    StopTxnAlignedData: measurands(),
    StopTxnSampledData: measurands('Energy.Active.Import.Register'),
    StopTxnSampledDataMaxLength: fixed(METER_MEASURANDS.length),
    SupportedFeatureProfiles: fixed(
      'Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger',
    ),
    SupportedFileTransferProtocols: fixed('FTP,FTPS,HTTP,HTTPS,SFTP'),
    TransactionMessageAttempts: integer(3),
    TransactionMessageRetryInterval: integer(60),
    UnlockConnectorOnEVSideDisconnect: boolean(true),
    WebSocketPingInterval: integer(0),
  };
}
