import { isIP } from 'node:net';

/** The kind of a setting: a form of value, or one of these values. */
export type Kind = keyof typeof PARSERS | readonly string[];

/** Minimum and maximum of integer settings. */
export const RANGES = {
  port: [0, 65_535],
  count: [1, 2 ** 31 - 1],
  days: [0, 36_500],
} as const;

/** A value's fault, phrased to follow the variable's name. */
export class Fault {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Parsers of each kind of setting. */
const PARSERS = {
  text: (text: string) => text,
  port: (text: string) => {
    const port = Number(text);
    return /^\d+$/.test(text) && port <= RANGES.port[1]
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
    return /^\d+$/.test(text) && count >= RANGES.count[0] && count <= RANGES.count[1]
      ? count
      : new Fault(`must be a whole number of at least 1, not "${text}"`);
  },
  days: (text: string) => {
    const days = Number(text);
    return /^\d+$/.test(text) && days <= RANGES.days[1]
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
  // The message must not contain the value: it is a secret, if too short.
  secret: (text: string) =>
    text.length >= 32 ? text : new Fault(`must have at least 32 characters, not ${text.length}`),
};

/** Parses a value of a kind. */
export function parse(kind: Kind, text: string): string | number | Fault {
  if (typeof kind === 'string') return PARSERS[kind](text);
  return kind.includes(text) ? text : new Fault(`must be one of ${kind.join(', ')}, not "${text}"`);
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

// A URL may contain a password, so a fault shows only the required form.
function url(text: string, protocols: string[], example: string): string | Fault {
  if (URL.canParse(text) && protocols.includes(new URL(text).protocol)) return text;
  return new Fault(`must be a URL like ${example}`);
}
