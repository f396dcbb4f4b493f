import type { Profile } from '@evander/ocpp';
import { quirkyKeys } from '../options/quirks.ts';
import type { StationOptions } from '../options/station-options.ts';
import { defaultKeys, METER_MEASURANDS, PNC_KEYS, type ConfigurationKey } from './configuration-keys.ts';

/** The result of a ChangeConfiguration. */
export type ChangeStatus = 'Accepted' | 'Rejected' | 'RebootRequired' | 'NotSupported';

/** The station's configuration keys. Names are case-insensitive, like CiStrings. */
export class Configuration {
  readonly #keys = new Map<string, ConfigurationKey & { key: string }>();
  readonly #afterReboot: ReadonlySet<string>;
  readonly #pending = new Map<string, string>();

  /** The options replace defaults or add text keys. */
  constructor(options: StationOptions) {
    const { connectors = 1, rebootRequiredFor = [], quirks = {}, configuration, pnc } = options;
    const afterReboot = [...rebootRequiredFor, ...(quirks.passwordAfterReset ? ['AuthorizationKey'] : [])];
    this.#afterReboot = new Set(afterReboot.map((key) => key.toLowerCase()));
    for (const [key, entry] of Object.entries({ ...defaultKeys(connectors), ...(pnc && PNC_KEYS) }))
      this.#put(key, entry);
    for (const [key, value] of Object.entries({ ...quirkyKeys(quirks), ...configuration })) {
      const known = this.#keys.get(key.toLowerCase()) ?? PNC_KEYS[key];
      this.#put(key, { access: 'RW', kind: 'text', ...known, value });
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

  /** Whether this feature profile is supported. */
  has(profile: Profile): boolean {
    return this.list('SupportedFeatureProfiles').includes(profile);
  }

  list(key: string): string[] {
    return (this.find(key)?.value ?? '')
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  }

  /** Changes a key by the station itself: no access rule, no check. */
  set(key: string, value: string): void {
    const entry = this.find(key);
    if (entry) entry.value = value;
  }

  /** Changes a key for the manager. */
  change(key: string, value: string): ChangeStatus {
    const entry = this.find(key);
    if (!entry) return 'NotSupported';
    if (entry.access === 'R' || !isValid(entry.kind, value)) return 'Rejected';
    // ChangeConfiguration.6: the security profile can only increase.
    if (entry.key === 'SecurityProfile' && !(Number(value) > Number(entry.value) && Number(value) <= 3))
      return 'Rejected';
    if (this.#afterReboot.has(entry.key.toLowerCase())) {
      this.#pending.set(entry.key.toLowerCase(), value);
      return 'RebootRequired';
    }
    entry.value = value;
    return 'Accepted';
  }

  /** Applies pending changes at a restart; returns the changed keys. */
  reboot(): string[] {
    const keys = [...this.#pending.keys()];
    for (const [key, value] of this.#pending) this.set(key, value);
    this.#pending.clear();
    return keys;
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
