import { isIP } from 'node:net';

/** Every environment variable that Evander reads. `--help` and docs/operations.md are made from this table. */
export const SETTINGS = {
  host: setting('EVANDER_HOST', 'text', '127.0.0.1', 'Address that the servers listen on; 0.0.0.0 for all'),
  wsPort: setting(
    'EVANDER_WS_PORT',
    'port',
    9310,
    'Stations connect here: ws://<host>:9310/ws/<stationId>, or wss:// on the same port',
  ),
  wssPort: setting(
    'EVANDER_WSS_PORT',
    'port',
    9311,
    'The same over TLS, security profiles 2 and 3: wss://<host>:9311/ws/<stationId>',
  ),
  tlsCertificateFiles: setting(
    'EVANDER_TLS_CERTIFICATE_FILES',
    'text',
    undefined,
    'PEM files with the server certificate and its intermediates, separated by commas: one RSA and one ECDSA for all stations; read again when changed. Unset, the managers’ own authority issues them',
  ),
  tlsKeyFiles: setting(
    'EVANDER_TLS_KEY_FILES',
    'text',
    undefined,
    'PEM files with their private keys, in the same order',
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
    'Proxies and load balancers that are believed: the address of the client that they send by PROXY protocol (v1, v2) or X-Forwarded-For, and X-Forwarded-Proto: 10.0.0.0/8,192.0.2.7',
  ),
  clientCertificateHeader: setting(
    'EVANDER_CLIENT_CERTIFICATE_HEADER',
    ['client-cert', 'x-ssl-client-cert', 'x-forwarded-client-cert'],
    undefined,
    'The one header in which trusted proxies that end TLS forward the certificate that a station has shown; unset, none is believed',
  ),
  lowestSecurityProfile: setting(
    'EVANDER_LOWEST_SECURITY_PROFILE',
    ['0', '1', '2', '3'],
    '0',
    'Handshakes below this security profile are refused, whatever their station is registered with',
  ),
  rememberCredentialsHours: setting(
    'EVANDER_REMEMBER_CREDENTIALS_HOURS',
    'count',
    24,
    'While no manager answers, gateways let stations in by what managers said before; for so many hours',
  ),
  stationFramesPerSecond: setting(
    'EVANDER_STATION_FRAMES_PER_SECOND',
    'count',
    100,
    'Frames that one station may send for long, and ten times as many at once; what exceeds it is read later, not dropped',
  ),
  stationBytesPerSecond: setting('EVANDER_STATION_BYTES_PER_SECOND', 'count', 262_144, 'The same in bytes'),
  maxQueuedMib: setting(
    'EVANDER_MAX_QUEUED_MIB',
    'count',
    64,
    'Unanswered calls of all stations that a gateway holds, in MiB; when there are more, each station may have one only until it is answered',
  ),
  maxConnections: setting(
    'EVANDER_MAX_CONNECTIONS',
    'count',
    20_000,
    'Connections that one gateway accepts, those in their handshake among them',
  ),
  maxConnectionsPerAddress: setting(
    'EVANDER_MAX_CONNECTIONS_PER_ADDRESS',
    'count',
    5000,
    'The same from one IPv4 address or IPv6 /64 network; trusted proxies are exempt, the clients that they name are not',
  ),
  handshakeSeconds: setting(
    'EVANDER_HANDSHAKE_SECONDS',
    'count',
    10,
    'How long a client may take for the TLS handshake, and then for its request, before it is disconnected',
  ),
  gatewayStatusPort: setting('EVANDER_GATEWAY_STATUS_PORT', 'port', 9312, "The gateway's health and metrics"),
  apiPort: setting('EVANDER_API_PORT', 'port', 9410, 'The HTTP API, its documentation and the console'),
  databaseUrl: setting(
    'EVANDER_DATABASE_URL',
    'postgresUrl',
    undefined,
    'PostgreSQL 14 or newer, TLS by ?sslmode=verify-full&sslrootcert=…; `start` brings its own when unset',
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
    'A CSV export that takes longer is cut: its connection ends before its end',
  ),
  mqttUrl: setting(
    'EVANDER_MQTT_URL',
    'mqttUrl',
    undefined,
    'MQTT broker with shared subscriptions, TLS by mqtts:// and ?cafile=…&certfile=…&keyfile=…; `start` brings its own when unset',
  ),
  mqttPrefix: setting('EVANDER_MQTT_PREFIX', 'topicLevel', 'cs', 'First level of every topic'),
  managerUrl: setting(
    'EVANDER_MANAGER_URL',
    'httpUrls',
    'http://127.0.0.1:9410',
    'Where the gateway asks for credentials; several separated by commas',
  ),
  secret: setting(
    'EVANDER_SECRET',
    'secret',
    undefined,
    'At least 32 characters, the same for all managers, and for nobody else: what guards the database’s secrets and the gateways’ calls is derived from it. `start` makes its own when unset',
  ),
  gatewaySecret: setting(
    'EVANDER_GATEWAY_SECRET',
    'secret',
    undefined,
    'The gateways’ part of EVANDER_SECRET: what `deploy/gateway-secret` prints. The same for all gateways',
  ),
  adminKey: setting(
    'EVANDER_ADMIN_KEY',
    'secret',
    undefined,
    'The first admin key of the API; made and written to the data directory when unset',
  ),
  apiFailuresPerAddress: setting(
    'EVANDER_API_FAILURES_PER_ADDRESS',
    'count',
    60,
    'API requests without a valid key that one address may send within a minute; then 429. Valid keys never wait',
  ),
  apiFailuresPerKey: setting(
    'EVANDER_API_FAILURES_PER_KEY',
    'count',
    20,
    'The same from all addresses, for keys that are not valid and share their first 12 characters',
  ),
  hiddenDataTransfers: setting(
    'EVANDER_HIDDEN_DATA_TRANSFERS',
    'text',
    undefined,
    'DataTransfers that are recorded without their data, both ways: vendorId or vendorId/messageId, separated by commas; * for all',
  ),
  unknownStations: setting(
    'EVANDER_UNKNOWN_STATIONS',
    ['accept', 'reject'],
    undefined,
    'Stations that nobody added: let in without password, or turned away; when unset, `start` on a loopback address accepts, all else rejects',
  ),
  dataDir: setting(
    'EVANDER_DATA_DIR',
    'text',
    '.evander',
    'Where `start` keeps its database, secret and first admin key',
  ),
  eventStreams: setting(
    'EVANDER_EVENT_STREAMS',
    'count',
    500,
    'Readers of GET /api/v1/events that one manager serves at a time',
  ),
  webhookGiveUpHours: setting(
    'EVANDER_WEBHOOK_GIVE_UP_HOURS',
    'count',
    24,
    'An event that a webhook has refused for so long is dead; it can be replayed',
  ),
  heartbeatSeconds: setting(
    'EVANDER_HEARTBEAT_SECONDS',
    'count',
    300,
    'Heartbeat interval that an accepted station is told',
  ),
  maxFrameBytes: setting(
    'EVANDER_MAX_FRAME_BYTES',
    'count',
    1_048_576,
    'A longer frame from a station closes its connection',
  ),
  pingSeconds: setting(
    'EVANDER_PING_SECONDS',
    'count',
    30,
    'The gateway pings each station this often; one that has answered before and does not by the next ping is disconnected',
  ),
  failFastSeconds: setting(
    'EVANDER_FAIL_FAST_SECONDS',
    'count',
    10,
    'Authorize, BootNotification and DataTransfer that no manager has answered by then, as while the database is away, are answered InternalError, so that the station falls back on its own rules. All other messages wait',
  ),
  answerTimeoutSeconds: setting(
    'EVANDER_ANSWER_TIMEOUT_SECONDS',
    'count',
    60,
    'How long a station may take to answer a command',
  ),
  publicUrl: setting(
    'EVANDER_PUBLIC_URL',
    'httpUrl',
    undefined,
    'Where stations reach a manager over HTTP, for links to files and addresses in certificates: http://csms.example:9410; unset, files are reached at the address that the API listens on',
  ),
  maxFirmwareMib: setting(
    'EVANDER_MAX_FIRMWARE_MIB',
    'count',
    512,
    'The largest firmware file that is taken, in MiB',
  ),
  maxUploadMib: setting(
    'EVANDER_MAX_UPLOAD_MIB',
    'count',
    100,
    'The largest file that a station may upload, in MiB',
  ),
  fileLinkHours: setting(
    'EVANDER_FILE_LINK_HOURS',
    'count',
    24,
    'How long the link lives that a station fetches firmware or uploads files by',
  ),
  uploadDays: setting('EVANDER_UPLOAD_DAYS', 'count', 90, 'How long uploads of stations are kept'),
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
    'Where stations reach the FTP server of the managers, for those that have nothing else: ftp://csms.example:2121; unset, there is none',
  ),
  ftpPort: setting(
    'EVANDER_FTP_PORT',
    'port',
    2121,
    'The FTP server listens here, where EVANDER_FTP_URL is set',
  ),
  ftpPassivePorts: setting(
    'EVANDER_FTP_PASSIVE_PORTS',
    'portRange',
    '2122-2171',
    'Data connections of FTP come in here: one port for each transfer at a time',
  ),
  outboundPrivate: setting(
    'EVANDER_OUTBOUND_PRIVATE',
    ['allow', 'refuse'],
    'refuse',
    'May managers ask addresses that others chose (webhooks, OCSP responders) when they are not public ones',
  ),
  organisation: setting(
    'EVANDER_ORGANISATION',
    'text',
    'Evander',
    'The operator’s name: O of stations’ certificates, and their CpoName',
  ),
  certificateAuthority: setting(
    'EVANDER_CERTIFICATE_AUTHORITY',
    ['builtin', 'est', 'manual'],
    'builtin',
    'Who signs stations’ certificates: our own authority, one that speaks EST, or an operator by CertificateSigned',
  ),
  estUrl: setting(
    'EVANDER_EST_URL',
    'httpUrl',
    undefined,
    'The EST authority (RFC 7030): https://est.example/.well-known/est',
  ),
  estUser: setting('EVANDER_EST_USER', 'text', undefined, 'Its user name'),
  estPassword: setting('EVANDER_EST_PASSWORD', 'text', undefined, 'And password'),
  estCaFile: setting(
    'EVANDER_EST_CA_FILE',
    'text',
    undefined,
    'PEM file with the root that the EST server is trusted by; the well-known ones when unset',
  ),
  stationCertificateDays: setting(
    'EVANDER_STATION_CERTIFICATE_DAYS',
    'count',
    365,
    'How long a station’s certificate from our own authority is valid',
  ),
  certificateRenewDays: setting(
    'EVANDER_CERTIFICATE_RENEW_DAYS',
    'count',
    30,
    'A station is asked to renew its certificate so many days before it ends',
  ),
  v2gCaFile: setting(
    'EVANDER_V2G_CA_FILE',
    'text',
    undefined,
    'PEM file that signs the V2G certificates of stations: a private key, its certificate, then the sub-CAs above it; when unset, our own authority signs them, or an operator if EVANDER_CERTIFICATE_AUTHORITY is not builtin',
  ),
  contractPoolUrl: setting(
    'EVANDER_CONTRACT_POOL_URL',
    'httpUrl',
    undefined,
    'Where contract certificates for EVs are had: the operation signedContractData of an OPCP service, such as https://…/v1/ccp/signedContractData',
  ),
  contractPoolToken: setting(
    'EVANDER_CONTRACT_POOL_TOKEN',
    'text',
    undefined,
    'Bearer token for the contract pool, where it wants one that does not change',
  ),
  contractPoolTokenUrl: setting(
    'EVANDER_CONTRACT_POOL_TOKEN_URL',
    'httpUrl',
    undefined,
    "Where tokens for the contract pool are had by OAuth 2's client credentials",
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
    'Audience that the token server is told, where it wants one',
  ),
  has2beFailure: setting(
    'EVANDER_HAS2BE_FAILURE',
    ['Failed', 'Rejected'],
    'Failed',
    'How stations that speak the has.to.be dialect call a GetCertificateStatus that failed: its readings differ',
  ),
  drainSeconds: setting(
    'EVANDER_DRAIN_SECONDS',
    'count',
    10,
    'How long a stopping process finishes what it has begun',
  ),
  retentionFrames: retention('FRAMES', 30, 'Frames that went over sockets'),
  retentionStatuses: retention('STATUSES', 365, 'History of connector statuses'),
  retentionMeterValues: retention('METER_VALUES', 730, 'Meter values; those of open transactions stay'),
  retentionAuthorizations: retention('AUTHORIZATIONS', 365, 'Answers to Authorize'),
  retentionEvents: retention('EVENTS', 30, 'Events; those that a webhook waits for stay'),
  retentionSecurityEvents: retention('SECURITY_EVENTS', 730, 'Security events'),
  retentionCommands: retention('COMMANDS', 365, 'Settled commands'),
  retentionJobs: retention(
    'JOBS',
    365,
    'Firmware, diagnostics and log jobs that have ended, with their statuses',
  ),
  retentionReservations: retention('RESERVATIONS', 365, 'Reservations that have ended'),
  retentionCertificateRequests: retention(
    'CERTIFICATE_REQUESTS',
    730,
    'Certificate requests that no longer wait to be signed',
  ),
  retentionIssuedCertificates: retention(
    'ISSUED_CERTIFICATES',
    365,
    'Expired certificates of the own authority, except those with a compromised key,',
  ),
  retentionFirmwareCampaigns: retention(
    'FIRMWARE_CAMPAIGNS',
    730,
    'Firmware campaigns that have ended, with their stations,',
  ),
  retentionUnmatchedStops: retention('UNMATCHED_STOPS', 0, 'Stops that belong to no transaction'),
  retentionTransactions: retention('TRANSACTIONS', 0, 'Stopped transactions'),
  logLevel: setting(
    'EVANDER_LOG_LEVEL',
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
    'info',
    'Least severe log line that is written',
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
      : new Fault(`must be a whole number of days from 0 (for ever) to 36500, not "${text}"`);
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

// A URL may hold a password, so a fault shows the form wanted and never the text.
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
  return setting(
    `EVANDER_RETENTION_DAYS_${data}`,
    'days',
    days,
    `${what} are kept for so many days; 0: for ever`,
  );
}
