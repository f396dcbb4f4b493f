import { isIP } from 'node:net';

/** Every environment variable that Evander reads. `--help` and docs/operations.md are made from this table. */
export const SETTINGS = {
  host: setting('EVANDER_HOST', 'text', '127.0.0.1', 'Address that the servers listen on; 0.0.0.0 for all'),
  wsPort: setting(
    'EVANDER_WS_PORT',
    'port',
    9310,
    'Port for stations: ws://<host>:9310/ws/<stationId>, or wss:// on the same port',
  ),
  wssPort: setting(
    'EVANDER_WSS_PORT',
    'port',
    9311,
    'TLS-only port for stations, security profiles 2 and 3: wss://<host>:9311/ws/<stationId>',
  ),
  tlsCertificateFiles: setting(
    'EVANDER_TLS_CERTIFICATE_FILES',
    'text',
    undefined,
    'PEM files with the server certificate and its intermediates, separated by commas: one RSA and one ECDSA to suit all stations; reloaded when they change. If unset, the managers’ own authority issues them',
  ),
  tlsKeyFiles: setting(
    'EVANDER_TLS_KEY_FILES',
    'text',
    undefined,
    'PEM files with the private keys of these certificates, in the same order',
  ),
  tlsNames: setting(
    'EVANDER_TLS_NAMES',
    'text',
    'localhost,127.0.0.1',
    'Host names and addresses that stations connect to, for certificates from the managers’ authority',
  ),
  trustedProxies: setting(
    'EVANDER_TRUSTED_PROXIES',
    'networks',
    undefined,
    'Proxies and load balancers whose PROXY protocol (v1, v2), X-Forwarded-For and X-Forwarded-Proto are trusted, such as 10.0.0.0/8,192.0.2.7',
  ),
  clientCertificateHeader: setting(
    'EVANDER_CLIENT_CERTIFICATE_HEADER',
    ['client-cert', 'x-ssl-client-cert', 'x-forwarded-client-cert'],
    undefined,
    'Header in which trusted proxies that end TLS forward the station’s client certificate; if unset, no header is trusted',
  ),
  lowestSecurityProfile: setting(
    'EVANDER_LOWEST_SECURITY_PROFILE',
    ['0', '1', '2', '3'],
    '0',
    'Lowest security profile: handshakes below it are rejected, whatever profile the station is registered with',
  ),
  rememberCredentialsHours: setting(
    'EVANDER_REMEMBER_CREDENTIALS_HOURS',
    'count',
    24,
    'Hours for which gateways accept stations by the managers’ last answer while no manager answers',
  ),
  stationFramesPerSecond: setting(
    'EVANDER_STATION_FRAMES_PER_SECOND',
    'count',
    100,
    'Sustained frames per second of one station, with bursts of ten times as many; the excess is read later, not dropped',
  ),
  stationBytesPerSecond: setting(
    'EVANDER_STATION_BYTES_PER_SECOND',
    'count',
    262_144,
    'Sustained bytes per second of one station, with the same bursts',
  ),
  maxQueuedMib: setting(
    'EVANDER_MAX_QUEUED_MIB',
    'count',
    64,
    'MiB of unanswered calls that one gateway holds for all stations; above it each station may have one open call at a time',
  ),
  maxConnections: setting(
    'EVANDER_MAX_CONNECTIONS',
    'count',
    20_000,
    'Connections that one gateway accepts, including those in their handshake',
  ),
  maxConnectionsPerAddress: setting(
    'EVANDER_MAX_CONNECTIONS_PER_ADDRESS',
    'count',
    5000,
    'Connections that one gateway accepts from one IPv4 address or IPv6 /64 network; trusted proxies are exempt, their clients are not',
  ),
  handshakeSeconds: setting(
    'EVANDER_HANDSHAKE_SECONDS',
    'count',
    10,
    'Seconds that a client may take for the TLS handshake, and again for its request, before it is disconnected',
  ),
  gatewayStatusPort: setting(
    'EVANDER_GATEWAY_STATUS_PORT',
    'port',
    9312,
    "Port for the gateway's health and metrics",
  ),
  apiPort: setting('EVANDER_API_PORT', 'port', 9410, 'Port for the HTTP API and its documentation'),
  databaseUrl: setting(
    'EVANDER_DATABASE_URL',
    'postgresUrl',
    undefined,
    'PostgreSQL 14 or newer; for TLS add ?sslmode=verify-full&sslrootcert=…. If unset, `start` runs its own',
  ),
  databasePoolSize: setting(
    'EVANDER_DATABASE_POOL_SIZE',
    'count',
    10,
    'Connections of one manager to PostgreSQL',
  ),
  exportMinutes: setting(
    'EVANDER_EXPORT_MINUTES',
    'count',
    30,
    'Minutes after which a CSV export is cut off',
  ),
  mqttUrl: setting(
    'EVANDER_MQTT_URL',
    'mqttUrl',
    undefined,
    'MQTT broker with shared subscriptions; for TLS use mqtts:// and ?cafile=…&certfile=…&keyfile=…. If unset, `start` runs its own',
  ),
  mqttPrefix: setting('EVANDER_MQTT_PREFIX', 'topicLevel', 'cs', 'First level of every topic'),
  managerUrl: setting(
    'EVANDER_MANAGER_URL',
    'httpUrls',
    'http://127.0.0.1:9410',
    'Managers that the gateway asks for credentials, separated by commas',
  ),
  secret: setting(
    'EVANDER_SECRET',
    'secret',
    undefined,
    'Secret of at least 32 characters, the same for all managers and known to nobody else. Keys for secrets in the database and for the gateways are derived from it. If unset, `start` generates one',
  ),
  gatewaySecret: setting(
    'EVANDER_GATEWAY_SECRET',
    'secret',
    undefined,
    'The gateways’ part of EVANDER_SECRET, the same for all gateways: `deploy/gateway-secret` prints it',
  ),
  adminKey: setting(
    'EVANDER_ADMIN_KEY',
    'secret',
    undefined,
    'First admin key of the API; if unset, one is generated and written to the data directory',
  ),
  apiFailuresPerAddress: setting(
    'EVANDER_API_FAILURES_PER_ADDRESS',
    'count',
    60,
    'API requests with an invalid key that one address may send within a minute before it gets 429; valid keys never wait',
  ),
  apiFailuresPerKey: setting(
    'EVANDER_API_FAILURES_PER_KEY',
    'count',
    20,
    'API requests within a minute, from all addresses together, with invalid keys that share their first 12 characters, before they get 429',
  ),
  hiddenDataTransfers: setting(
    'EVANDER_HIDDEN_DATA_TRANSFERS',
    'text',
    undefined,
    'DataTransfers whose data are not recorded, in either direction: vendorId or vendorId/messageId, separated by commas; * for all',
  ),
  unknownStations: setting(
    'EVANDER_UNKNOWN_STATIONS',
    ['accept', 'reject'],
    undefined,
    'Whether to accept, without a password, stations that nobody has added; if unset, `start` on a loopback address accepts them, everything else rejects them',
  ),
  dataDir: setting(
    'EVANDER_DATA_DIR',
    'text',
    '.evander',
    'Directory in which `start` keeps its database, secret and first admin key',
  ),
  eventStreams: setting(
    'EVANDER_EVENT_STREAMS',
    'count',
    500,
    'Event streams (GET /api/v1/events) that one manager serves at a time',
  ),
  webhookGiveUpHours: setting(
    'EVANDER_WEBHOOK_GIVE_UP_HOURS',
    'count',
    24,
    'Hours after which an event that a webhook does not accept is given up; it can be replayed',
  ),
  heartbeatSeconds: setting(
    'EVANDER_HEARTBEAT_SECONDS',
    'count',
    300,
    'Heartbeat interval for accepted stations',
  ),
  maxFrameBytes: setting(
    'EVANDER_MAX_FRAME_BYTES',
    'count',
    1_048_576,
    'Longest frame from a station; a longer one closes its connection',
  ),
  pingSeconds: setting(
    'EVANDER_PING_SECONDS',
    'count',
    30,
    'Seconds between pings; a station that has answered pings is disconnected if it misses one',
  ),
  failFastSeconds: setting(
    'EVANDER_FAIL_FAST_SECONDS',
    'count',
    10,
    'Seconds after which the gateway answers Authorize, BootNotification and DataTransfer with InternalError if no manager has, so that the station falls back on its own rules; other messages wait',
  ),
  answerTimeoutSeconds: setting(
    'EVANDER_ANSWER_TIMEOUT_SECONDS',
    'count',
    60,
    'Seconds that a station may take to answer a command',
  ),
  publicUrl: setting(
    'EVANDER_PUBLIC_URL',
    'httpUrl',
    undefined,
    'URL at which stations reach a manager, for file links and addresses in certificates, such as http://csms.example:9410; if unset, file links use the address that the API listens on',
  ),
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
  outboundPrivate: setting(
    'EVANDER_OUTBOUND_PRIVATE',
    ['allow', 'refuse'],
    'refuse',
    'Whether to allow outbound requests (webhooks, OCSP responders) to private addresses',
  ),
  organisation: setting(
    'EVANDER_ORGANISATION',
    'text',
    'Evander',
    'Name of the operator: O in stations’ certificates, and their CpoName',
  ),
  certificateAuthority: setting(
    'EVANDER_CERTIFICATE_AUTHORITY',
    ['builtin', 'est', 'manual'],
    'builtin',
    'Who signs stations’ certificates: the built-in authority, an EST authority, or an operator by CertificateSigned',
  ),
  estUrl: setting(
    'EVANDER_EST_URL',
    'httpUrl',
    undefined,
    'URL of the EST authority (RFC 7030), such as https://est.example/.well-known/est',
  ),
  estUser: setting('EVANDER_EST_USER', 'text', undefined, 'User name for the EST authority'),
  estPassword: setting('EVANDER_EST_PASSWORD', 'text', undefined, 'Password for the EST authority'),
  estCaFile: setting(
    'EVANDER_EST_CA_FILE',
    'text',
    undefined,
    'PEM file with the root that the EST server’s certificate must lead to; if unset, public roots count',
  ),
  stationCertificateDays: setting(
    'EVANDER_STATION_CERTIFICATE_DAYS',
    'count',
    365,
    'Days for which a station’s certificate from the built-in authority is valid',
  ),
  certificateRenewDays: setting(
    'EVANDER_CERTIFICATE_RENEW_DAYS',
    'count',
    30,
    'Days before its certificate expires at which a station is asked to renew it',
  ),
  v2gCaFile: setting(
    'EVANDER_V2G_CA_FILE',
    'text',
    undefined,
    'PEM file that signs the V2G certificates of stations: a private key, its certificate, then the sub-CAs above it. If unset, the built-in authority signs them, or an operator if EVANDER_CERTIFICATE_AUTHORITY is not builtin',
  ),
  contractPoolUrl: setting(
    'EVANDER_CONTRACT_POOL_URL',
    'httpUrl',
    undefined,
    'URL of the contract pool for EVs: the operation signedContractData of an OPCP service, such as https://…/v1/ccp/signedContractData',
  ),
  contractPoolToken: setting(
    'EVANDER_CONTRACT_POOL_TOKEN',
    'text',
    undefined,
    'Fixed bearer token for the contract pool',
  ),
  contractPoolTokenUrl: setting(
    'EVANDER_CONTRACT_POOL_TOKEN_URL',
    'httpUrl',
    undefined,
    'URL of the token server for the contract pool (OAuth 2 client credentials)',
  ),
  contractPoolClientId: setting(
    'EVANDER_CONTRACT_POOL_CLIENT_ID',
    'text',
    undefined,
    'Client id for the token server',
  ),
  contractPoolClientSecret: setting(
    'EVANDER_CONTRACT_POOL_CLIENT_SECRET',
    'text',
    undefined,
    'Client secret for the token server',
  ),
  contractPoolAudience: setting(
    'EVANDER_CONTRACT_POOL_AUDIENCE',
    'text',
    undefined,
    'Audience for the token server, if it requires one',
  ),
  has2beFailure: setting(
    'EVANDER_HAS2BE_FAILURE',
    ['Failed', 'Rejected'],
    'Failed',
    'Status of a failed GetCertificateStatus in the has.to.be dialect; implementations differ',
  ),
  drainSeconds: setting(
    'EVANDER_DRAIN_SECONDS',
    'count',
    10,
    'Seconds that a stopping process may take to finish its work',
  ),
  retentionFrames: retention('FRAMES', 30, 'recorded frames'),
  retentionStatuses: retention('STATUSES', 365, 'connector status history'),
  retentionMeterValues: retention('METER_VALUES', 730, 'meter values, except those of open transactions'),
  retentionAuthorizations: retention('AUTHORIZATIONS', 365, 'answers to Authorize'),
  retentionEvents: retention('EVENTS', 30, 'events, except those that a webhook has not received'),
  retentionSecurityEvents: retention('SECURITY_EVENTS', 730, 'security events'),
  retentionCommands: retention('COMMANDS', 365, 'commands that have their outcome'),
  retentionJobs: retention('JOBS', 365, 'finished firmware, diagnostics and log jobs, with their statuses'),
  retentionReservations: retention('RESERVATIONS', 365, 'reservations that have ended'),
  retentionCertificateRequests: retention('CERTIFICATE_REQUESTS', 730, 'completed certificate requests'),
  retentionIssuedCertificates: retention(
    'ISSUED_CERTIFICATES',
    365,
    'expired certificates of the built-in authority, except those with a compromised key',
  ),
  retentionFirmwareCampaigns: retention(
    'FIRMWARE_CAMPAIGNS',
    730,
    'firmware campaigns that have ended, with their stations',
  ),
  retentionUnmatchedStops: retention('UNMATCHED_STOPS', 0, 'unmatched stops'),
  retentionTransactions: retention('TRANSACTIONS', 0, 'transactions that have ended'),
  logLevel: setting(
    'EVANDER_LOG_LEVEL',
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
    'info',
    'Lowest log level to write',
  ),
} as const;

type Table = typeof SETTINGS;
export type SettingName = keyof Table;
type Kind = keyof typeof PARSERS | readonly string[];

interface Setting<K extends Kind, D> {
  variable: string;
  kind: K;
  default: D;
  help: string;
}

type ValueOf<S> =
  S extends Setting<infer K, infer D>
    ? | (K extends 'port' | 'count' | 'days' ? number : K extends readonly (infer Word)[] ? Word : string)
      | (D extends undefined ? undefined : never)
    : never;

/** Values of settings; `R` are those of them that are certainly set. */
export type Settings<N extends SettingName = SettingName, R extends SettingName = never> = {
  -readonly [K in N]: K extends R ? NonNullable<ValueOf<Table[K]>> : ValueOf<Table[K]>;
};

/** One or more variables hold what they must not; the message names each with its cure. */
export class SettingsError extends Error {
  override name = 'SettingsError';
}

/** Reads the named settings from the environment. Throws SettingsError that lists every bad one, and every required one that is not set. */
export function readSettings<N extends SettingName, R extends SettingName = never>(
  env: NodeJS.ProcessEnv,
  names: readonly N[],
  required: readonly R[] = [],
): Settings<N, R> {
  const faults: string[] = [];
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const name of names) {
    const { variable, kind, default: fallback } = SETTINGS[name];
    const text = env[variable];
    if (text === undefined || text === '') {
      if ((required as readonly SettingName[]).includes(name)) faults.push(notSet(name));
      values[name] = fallback;
      continue;
    }
    const value = parse(kind, text);
    if (value instanceof Fault) faults.push(`${variable} ${value.text}`);
    else values[name] = value;
  }
  if (faults.length > 0) throw new SettingsError(faults.join('\n'));
  return values as Settings<N, R>;
}

/** The value of a setting that has no default. Throws SettingsError when it is not set. */
export function requireSetting<N extends SettingName>(
  settings: Pick<Settings, N>,
  name: N,
): NonNullable<Settings[N]> {
  const value = settings[name];
  if (value === undefined) throw new SettingsError(notSet(name));
  return value;
}

function notSet(name: SettingName): string {
  return `${SETTINGS[name].variable} is not set: ${SETTINGS[name].help}`;
}

/** Variables that begin like ours but are in no table: most often a slip of the pen. */
export function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const known = new Set<string>(Object.values(SETTINGS).map((entry) => entry.variable));
  return Object.keys(env).filter(
    (name) => name.startsWith('EVANDER_') && !known.has(name) && !name.startsWith('EVANDER_TEST_'),
  );
}

/** The table as text for `--help`, a variable a paragraph. */
export function describeSettings(names: readonly SettingName[]): string {
  return names
    .map((name) => {
      const { variable, kind, default: fallback, help } = SETTINGS[name];
      const choice = typeof kind === 'string' ? '' : ` (${kind.join(' | ')})`;
      const ending = fallback === undefined ? '' : ` [${fallback}]`;
      return `  ${variable}${choice}${ending}\n      ${help}`;
    })
    .join('\n');
}

class Fault {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const PARSERS = {
  text: (text: string) => text,
  port: (text: string) => {
    const port = Number(text);
    return /^\d+$/.test(text) && port <= 65_535
      ? port
      : new Fault(`must be a port from 0 to 65535, not "${text}"`);
  },
  portRange: (text: string) => {
    const [, from = 0, to = 0] = (/^(\d+)-(\d+)$/.exec(text) ?? []).map(Number);
    return from >= 1 && from <= to && to <= 65_535
      ? text
      : new Fault(`must be two ports, the lower first, like 2122-2171, not "${text}"`);
  },
  count: (text: string) => {
    const count = Number(text);
    return /^\d+$/.test(text) && count >= 1 && count <= 2 ** 31 - 1
      ? count
      : new Fault(`must be a whole number of at least 1, not "${text}"`);
  },
  days: (text: string) => {
    const days = Number(text);
    return /^\d+$/.test(text) && days <= 36_500
      ? days
      : new Fault(`must be a whole number of days from 0 (forever) to 36500, not "${text}"`);
  },
  postgresUrl: (text: string) =>
    url(text, ['postgres:', 'postgresql:'], 'postgres://user:password@host:5432/database'),
  mqttUrl: (text: string) =>
    url(
      text,
      ['mqtt:', 'mqtts:', 'tcp:', 'ssl:', 'ws:', 'wss:'],
      'mqtt://host:1883 or mqtts://user:password@host:8883?cafile=/ca.pem',
    ),
  httpUrl: (text: string) => {
    const fault = url(text, ['http:', 'https:'], 'http://manager:9410');
    return fault instanceof Fault ? fault : text.replace(/(?<!\/)\/+$/, '');
  },
  ftpUrl: (text: string) => {
    const example = 'ftp://csms.example:2121';
    const fault = url(text, ['ftp:'], example);
    if (fault instanceof Fault) return fault;
    const { pathname, username, password } = new URL(text);
    if (username + password !== '' || !['', '/'].includes(pathname))
      return new Fault(`must be a URL like ${example}, without user, password or path`);
    return text.replace(/\/$/, '');
  },
  httpUrls: (text: string) => {
    const faults = text.split(',').map((one) => url(one.trim(), ['http:', 'https:'], 'http://manager:9410'));
    return faults.find((one) => one instanceof Fault) ?? text;
  },
  networks: (text: string) => {
    const odd = text.split(',').find((one) => !isNetwork(one.trim()));
    return odd === undefined
      ? text
      : new Fault(`must be addresses or networks like 10.0.0.0/8, separated by commas, not "${odd}"`);
  },
  topicLevel: (text: string) =>
    /^[^/+#$\s]+$/.test(text)
      ? text
      : new Fault(`must be one topic level without / + # $ or blanks, not "${text}"`),
  // The value itself stays out of the message: it is a secret, if too short a one.
  secret: (text: string) =>
    text.length >= 32 ? text : new Fault(`must have at least 32 characters, not ${text.length}`),
};

function parse(kind: Kind, text: string): string | number | Fault {
  if (typeof kind === 'string') return PARSERS[kind](text);
  return kind.includes(text) ? text : new Fault(`must be one of ${kind.join(', ')}, not "${text}"`);
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

// A URL may hold a password, so a fault shows the form desired and never the text.
function url(text: string, protocols: string[], example: string): string | Fault {
  if (URL.canParse(text) && protocols.includes(new URL(text).protocol)) return text;
  return new Fault(`must be a URL like ${example}`);
}

function setting<const K extends Kind, const D>(
  variable: string,
  kind: K,
  fallback: D,
  help: string,
): Setting<K, D> {
  return { variable, kind, default: fallback, help };
}

function retention(data: string, days: number, what: string): Setting<'days', number> {
  return setting(`EVANDER_RETENTION_DAYS_${data}`, 'days', days, `Days to keep ${what} (0 = forever)`);
}
