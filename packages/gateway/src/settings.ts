import { setting, SHARED_SETTINGS } from '@evander/process';
import type { Settings } from '@evander/process';

const { host, trustedProxies, mqttUrl, mqttPrefix, answerTimeoutSeconds, drainSeconds, logLevel } =
  SHARED_SETTINGS;

/** Settings that a gateway reads. */
export const GATEWAY_SETTINGS = {
  host,
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
  trustedProxies,
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
  mqttUrl,
  mqttPrefix,
  managerUrl: setting(
    'EVANDER_MANAGER_URL',
    'httpUrls',
    'http://127.0.0.1:9410',
    'Managers that the gateway asks for credentials, separated by commas',
  ),
  gatewaySecret: setting(
    'EVANDER_GATEWAY_SECRET',
    'secret',
    undefined,
    'The gateways’ part of EVANDER_SECRET, the same for all gateways: `deploy/gateway-secret` prints it',
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
  answerTimeoutSeconds,
  drainSeconds,
  logLevel,
};

/** Settings that a gateway requires. */
export const GATEWAY_REQUIRED = ['mqttUrl', 'gatewaySecret'] as const;

export type GatewaySettings = Settings<typeof GATEWAY_SETTINGS, (typeof GATEWAY_REQUIRED)[number]>;
