/** One configuration key of the station. */
export type ConfigurationKey = {
  value?: string;
  access: 'R' | 'RW' | 'W';
  kind: 'integer' | 'boolean' | 'text' | 'measurands';
};

/** What ChangeConfiguration made of a key. */
export type ChangeStatus = 'Accepted' | 'Rejected' | 'RebootRequired' | 'NotSupported';

/** The measurands that the simulated meter has. */
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

function defaults(connectors: number): Record<string, ConfigurationKey> {
  return {
    AllowOfflineTxForUnknownId: boolean(true),
    AuthorizationCacheEnabled: boolean(true),
    AuthorizationKey: { access: 'W', kind: 'text' },
    AuthorizeRemoteTxRequests: boolean(false),
    ClockAlignedDataInterval: integer(0),
    ConnectionTimeOut: integer(60),
    ConnectorPhaseRotation: { value: '0.RST', access: 'RW', kind: 'text' },
    GetConfigurationMaxKeys: fixed(50),
    HeartbeatInterval: integer(300),
    LocalAuthorizeOffline: boolean(true),
    LocalPreAuthorize: boolean(false),
    MeterValuesAlignedData: measurands(),
    MeterValuesSampledData: measurands(...METER_MEASURANDS),
    MeterValuesSampledDataMaxLength: fixed(METER_MEASURANDS.length),
    MeterValueSampleInterval: integer(60),
    NumberOfConnectors: fixed(connectors),
    ResetRetries: integer(1),
    StopTransactionOnEVSideDisconnect: boolean(true),
    StopTransactionOnInvalidId: boolean(true),
    StopTxnAlignedData: measurands(),
    StopTxnSampledData: measurands('Energy.Active.Import.Register'),
    StopTxnSampledDataMaxLength: fixed(METER_MEASURANDS.length),
    SupportedFeatureProfiles: fixed('Core,RemoteTrigger'),
    TransactionMessageAttempts: integer(3),
    TransactionMessageRetryInterval: integer(60),
    UnlockConnectorOnEVSideDisconnect: boolean(true),
  };
}

/** The station's configuration keys. Names are case-insensitive, as CiStrings are. */
export class Configuration {
  readonly #keys = new Map<string, ConfigurationKey & { key: string }>();

  /** `values` replace defaults or add text keys. */
  constructor(options: { connectors: number; values?: Record<string, string> }) {
    for (const [key, entry] of Object.entries(defaults(options.connectors))) this.#put(key, entry);
    for (const [key, value] of Object.entries(options.values ?? {})) {
      this.#put(key, { access: 'RW', kind: 'text', ...this.#keys.get(key.toLowerCase()), value });
    }
  }

  get names(): string[] {
    return [...this.#keys.values()].map(({ key }) => key);
  }

  find(key: string): (ConfigurationKey & { key: string }) | undefined {
    return this.#keys.get(key.toLowerCase());
  }

  integer(key: string): number {
    return Number(this.find(key)?.value ?? 0);
  }

  isTrue(key: string): boolean {
    return this.find(key)?.value?.toLowerCase() === 'true';
  }

  list(key: string): string[] {
    return (this.find(key)?.value ?? '').split(',').filter((item) => item !== '');
  }

  /** The station's own change: no access rule, no check. */
  set(key: string, value: string): void {
    const entry = this.find(key);
    if (entry) entry.value = value;
  }

  /** The manager's change. */
  change(key: string, value: string): ChangeStatus {
    const entry = this.find(key);
    if (!entry) return 'NotSupported';
    if (entry.access === 'R' || !isValid(entry.kind, value)) return 'Rejected';
    entry.value = value;
    return 'Accepted';
  }

  #put(key: string, entry: ConfigurationKey): void {
    this.#keys.set(key.toLowerCase(), { ...entry, key });
  }
}

function isValid(kind: ConfigurationKey['kind'], value: string): boolean {
  if (kind === 'integer') return /^\d{1,9}$/.test(value);
  if (kind === 'boolean') return /^(true|false)$/i.test(value);
  if (kind === 'text') return true;
  return (
    value === '' || value.split(',').every((name) => (METER_MEASURANDS as readonly string[]).includes(name))
  );
}
