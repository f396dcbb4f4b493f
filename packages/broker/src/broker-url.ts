import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

/** PEM material for `tls.connect`. */
export interface TlsMaterial {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
}

/** A broker's address, split into public and secret parts. */
export interface BrokerAddress {
  /** Without user and password. */
  url: string;
  username?: string;
  password?: string;
  /** Reads the files that the URL names, on each call. Throws an Error that names them when they are unusable. */
  readTls(): TlsMaterial;
}

const FILES = { cafile: 'ca', certfile: 'cert', keyfile: 'key' } as const;
const SECURE = ['mqtts:', 'wss:'];
const PLAIN_NAMES: Record<string, string> = { 'tcp:': 'mqtt:', 'ssl:': 'mqtts:', 'tls:': 'mqtts:' };

/**
 * Parses `mqtts://user:password@host:8883?cafile=…&certfile=…&keyfile=…`; user and password are percent-encoded. Throws an Error for
 * parameters that contradict each other. The message never contains the URL, which may contain a password.
 */
export function readBrokerUrl(text: string): BrokerAddress {
  const url = new URL(renamed(text));
  const { username, password } = url;
  url.username = '';
  url.password = '';
  const files = takeFiles(url);
  if (Object.keys(files).length > 0 && !SECURE.includes(url.protocol))
    throw new Error(
      'the URL of the broker names certificate files but does not use TLS; start it with mqtts:// or wss://',
    );
  if ((files.certfile === undefined) !== (files.keyfile === undefined))
    throw new Error('the URL of the broker must name both certfile and keyfile, or neither');
  return {
    url: url.href,
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
    readTls: () => readAll(files),
  };
}

// Brokers' manuals use ssl:// and tcp://; MQTT.js accepts them, but not with a client certificate.
function renamed(text: string): string {
  const protocol = /^[a-z]+:/i.exec(text)?.[0].toLowerCase() ?? '';
  return (PLAIN_NAMES[protocol] ?? protocol) + text.slice(protocol.length);
}

type Files = Partial<Record<keyof typeof FILES, string>>;

// Other query parameters belong to the path, for a broker behind WebSocket.
function takeFiles(url: URL): Files {
  const files: Files = {};
  for (const name of Object.keys(FILES) as (keyof typeof FILES)[]) {
    const path = url.searchParams.get(name);
    if (path === null) continue;
    files[name] = path;
    url.searchParams.delete(name);
  }
  return files;
}

function readAll(files: Files): TlsMaterial {
  const material: TlsMaterial = {};
  for (const [name, path] of Object.entries(files) as [keyof typeof FILES, string][]) {
    try {
      material[FILES[name]] = readFileSync(path);
    } catch (error) {
      const cause = (error as NodeJS.ErrnoException).code ?? 'unreadable';
      throw new Error(`${name} ${path} of the broker's URL cannot be read: ${cause}`, { cause: error });
    }
  }
  try {
    createSecureContext(material);
  } catch (error) {
    const cause = (error as Error).message;
    throw new Error(`${Object.values(files).join(', ')}: invalid or mismatched PEM files: ${cause}`, {
      cause: error,
    });
  }
  return material;
}
