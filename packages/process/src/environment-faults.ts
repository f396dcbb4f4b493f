import { types } from 'node:util';
import type { Log } from './log.ts';
import type { SettingTable } from './settings/setting.ts';
import { SHARED_SETTINGS } from './settings/shared.ts';

/** A fault that the operator can fix. The message says what is wrong and how to fix it; no stack is logged. */
export class OperationalError extends Error {
  override name = 'OperationalError';
}

type Values = Readonly<Record<string, unknown>>;

/** Properties of Node.js and PostgreSQL errors that help to find the cause. */
interface SystemError extends Error {
  code?: string;
  syscall?: string;
  hostname?: string;
  address?: string;
  port?: number;
  path?: string;
  /** PostgreSQL only. */
  severity?: string;
}

/** Explains the environment fault behind an error in one sentence that names the variable to check; undefined for other errors. */
export function explainFault(
  error: unknown,
  values: Values,
  table: SettingTable = SHARED_SETTINGS,
): string | undefined {
  for (const one of causesOf(error)) {
    const text = FAULTS.map((explain) => explain(one, values, table)).find((found) => found !== undefined);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** Returns an OperationalError that explains the error, or the error itself. */
export function explained(error: unknown, values: Values, table: SettingTable): unknown {
  const text = explainFault(error, values, table);
  return text === undefined ? error : new OperationalError(text, { cause: error });
}

/** Logs a tolerated fault: one line for an environment fault, otherwise with its stack. */
export function warnOf(log: Log, what: string, error: unknown, values: Values = {}): void {
  const text = explainFault(error, values);
  if (text === undefined) log.warn({ err: error }, what);
  else log.warn(`${what}: ${text}`);
}

/** The error, its aggregated errors (a name with several addresses) and its causes. */
function causesOf(error: unknown, depth = 0): SystemError[] {
  if (!types.isNativeError(error) || depth > 5) return [];
  const { errors = [] } = error as Partial<AggregateError>;
  return [error, ...[...(errors as unknown[]), error.cause].flatMap((one) => causesOf(one, depth + 1))];
}

type Explain = (error: SystemError, values: Values, table: SettingTable) => string | undefined;

const FAULTS: Explain[] = [listenFault, fileFault, databaseFault, brokerFault, connectFault];

function listenFault(
  { syscall, code = '', port, address = '' }: SystemError,
  values: Values,
  table: SettingTable,
) {
  if (syscall !== 'listen' && syscall !== 'bind') return undefined;
  const ports = namesOf(values, table, (kind, value) => kind === 'port' && value === port).join(' or ');
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} of ${address} is taken by another process (${code}): end that process, or set ${ports || 'another port'} to another port`;
    case 'EACCES':
      return `port ${port} needs more permissions than this process has (${code}): set ${ports || 'the port'} above 1023, or give it the capability CAP_NET_BIND_SERVICE`;
    case 'EADDRNOTAVAIL':
      return `this machine does not have the address ${address} (${code}): set EVANDER_HOST to one that it has, or to 0.0.0.0 for all`;
    default:
      return undefined;
  }
}

const FILE_FAULTS: Record<string, string> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'is below something that is not a directory',
  EISDIR: 'is a directory',
  EACCES: 'may not be used by this user',
  EPERM: 'may not be used by this user',
  EROFS: 'is on a read-only file system',
  ENOSPC: 'is on a full disk',
  EEXIST: 'is not a directory',
};

function fileFault({ path, code = '' }: SystemError, values: Values, table: SettingTable) {
  const fault = FILE_FAULTS[code];
  if (fault === undefined || path === undefined || path === '') return undefined;
  const variables = namesOf(
    values,
    table,
    (_kind, value) => typeof value === 'string' && concerns(value, path),
  );
  if (variables.length === 0) return undefined;
  return `${path} ${fault} (${code}): correct ${variables.join(' or ')}, or the file`;
}

/** Whether a setting names this file or a directory above it, in a list or in a URL parameter. */
function concerns(value: string, path: string): boolean {
  const candidates = [value, ...value.split(','), ...(/[?&]/.test(value) ? value.split(/[?&=]/) : [])];
  return candidates.some((one) => {
    const name = safeDecode(one.trim()).replace(/(?<!\/)\/+$/, '');
    if (name === '') return false;
    return (
      path === name || path.startsWith(`${name}/`) || (!name.startsWith('/') && path.includes(`/${name}`))
    );
  });
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const DATABASE_HINTS: Record<string, string> = {
  '28P01': 'correct user and password in',
  '28000': 'correct the user or its permissions on the server, for',
  '3D000': 'create the database, or correct its name in',
  '42501': 'grant the user all privileges on the database in',
  '53300': 'raise max_connections of the server, or lower EVANDER_DATABASE_POOL_SIZE, for',
  '57P03': 'wait until the server has started, or check its log:',
  '25006': 'name the primary server, not a standby, in',
};
const NOT_POSTGRES = /^Connection terminated|server does not support SSL|^timeout exp/;

function databaseFault({ severity, code = '', message }: SystemError, { databaseUrl }: Values) {
  if (databaseUrl === undefined) return undefined;
  const hint = severity === undefined ? undefined : DATABASE_HINTS[code];
  if (hint !== undefined) return `PostgreSQL reports "${message}" (${code}): ${hint} EVANDER_DATABASE_URL`;
  if (NOT_POSTGRES.test(message))
    return `the connection to PostgreSQL failed: ${message}. Check host, port and sslmode in EVANDER_DATABASE_URL`;
  return undefined;
}

// CONNACK codes of MQTT 3.1.1, then of MQTT 5.
const BROKER_REFUSALS: Record<string, string> = {
  2: 'the client id',
  4: 'user or password',
  5: 'the permissions of the user',
  133: 'the client id',
  134: 'user or password',
  135: 'the permissions of the user',
};

function brokerFault({ code, message }: SystemError, { mqttUrl }: Values) {
  if (mqttUrl === undefined || typeof code !== 'number') return undefined;
  const what = BROKER_REFUSALS[code];
  return (
    what &&
    `the MQTT broker rejects ${what} ("${message}"): correct EVANDER_MQTT_URL, or the accounts of the broker`
  );
}

const NAME_FAULTS = ['ENOTFOUND', 'EAI_AGAIN', 'EAI_NONAME'];
const CONNECT_FAULTS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens at',
  ECONNRESET: 'the connection was closed by',
  ETIMEDOUT: 'no answer from',
  EHOSTUNREACH: 'no route to',
  ENETUNREACH: 'no route to',
};
const CERTIFICATE =
  /^(?:ERR_TLS_CERT_ALTNAME_INVALID|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_\w+|INVALID_CA)$/;
const TLS = /^(?:ERR_(?:OS)?SSL_|EPROTO$)/;

function connectFault(
  { code = '', hostname = '', address, port, message }: SystemError,
  values: Values,
  table: SettingTable,
) {
  if (NAME_FAULTS.includes(code)) {
    const variables = urlsOf(values, table, (url) => url.hostname === hostname);
    if (values.host === hostname) variables.push('EVANDER_HOST');
    return `the host name "${hostname}" cannot be resolved (${code}): correct ${variables.join(' or ') || 'it'}`;
  }
  if (typeof code !== 'string') return undefined;
  const fault = CONNECT_FAULTS[code];
  if (fault !== undefined && port !== undefined) {
    const same = urlsOf(values, table, (url) => portOf(url) === port);
    return `${fault} ${address}:${port} (${code}): start the server, or correct ${same.join(' or ') || 'the address'}`;
  }
  if (!CERTIFICATE.test(code) && !TLS.test(code)) return undefined;
  const variables = urlsOf(values, table, () => true).join(' or ');
  const what = CERTIFICATE.test(code) ? 'the server certificate is rejected' : 'TLS failed';
  return `${what}: ${message} (${code}); check ${variables || 'the URL'} and the files that it names`;
}

const DEFAULT_PORTS: Record<string, number> = {
  'postgres:': 5432,
  'postgresql:': 5432,
  'mqtt:': 1883,
  'tcp:': 1883,
  'mqtts:': 8883,
  'ssl:': 8883,
  'https:': 443,
  'wss:': 443,
};

function portOf({ port, protocol }: URL): number {
  return port === '' ? (DEFAULT_PORTS[protocol] ?? 80) : Number(port);
}

/** Variables that hold a matching URL, or several of which one matches. */
function urlsOf(values: Values, table: SettingTable, fits: (url: URL) => boolean): string[] {
  return namesOf(values, table, (kind, value) => {
    if (typeof kind !== 'string' || !/Urls?$/.test(kind) || typeof value !== 'string') return false;
    return value.split(',').some((text) => URL.canParse(text.trim()) && fits(new URL(text.trim())));
  });
}

function namesOf(
  values: Values,
  table: SettingTable,
  fits: (kind: unknown, value: unknown) => boolean,
): string[] {
  return Object.entries(table)
    .filter(([name, { kind }]) => values[name] !== undefined && fits(kind, values[name]))
    .map(([, { variable }]) => variable);
}
