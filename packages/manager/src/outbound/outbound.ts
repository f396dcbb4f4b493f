import { timeLimit } from '@evander/process';
import { lookup } from 'node:dns';
import * as dns from 'node:dns/promises';
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { LookupFunction } from 'node:net';

/** An address that must not be asked from here: the request has not been sent. */
export class OutboundRefused extends Error {
  override name = 'OutboundRefused';
}

export interface OutboundRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: Buffer | string;
  /** For the whole exchange; 10 s unless told. */
  timeoutMs?: number;
  /** A longer answer is an error; 1 MiB unless told. */
  maxBytes?: number;
  signal?: AbortSignal;
}

export interface OutboundResponse {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export type Outbound = (url: string, request?: OutboundRequest) => Promise<OutboundResponse>;

/**
 * A client for addresses that others chose (a station's responderURL, a webhook): http and https only, no redirects followed, and
 * unless `allowPrivate` only public addresses, judged after the name was resolved, so that a name cannot be turned meanwhile.
 * Rejects with OutboundRefused before anything is sent, or with what failed.
 */
export function outbound({ allowPrivate }: { allowPrivate: boolean }): Outbound {
  return async (address, options = {}) => {
    const url = readUrl(address);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (!allowPrivate && isIP(host) && isPrivate(host)) throw refused(host, host);
    const limit = timeLimit(options.timeoutMs ?? 10_000, options.signal);
    try {
      return await ask(url, { ...options, signal: limit.signal }, allowPrivate);
    } finally {
      limit.end();
    }
  };
}

/** How long a name may take to be resolved, when that is all that is asked. */
const RESOLVE_MS = 3000;

/**
 * Rejects with OutboundRefused when `outbound` would never ask this URL as things are: by its form, its address, or the addresses of its name. A
 * name that cannot be judged now, as while the resolver is away, passes: each request is judged again.
 */
export async function checkOutbound(
  address: string,
  { allowPrivate }: { allowPrivate: boolean },
): Promise<void> {
  const host = readUrl(address).hostname.replace(/^\[|\]$/g, '');
  if (allowPrivate) return;
  const giveUp = new Promise<[]>((resolve) => setTimeout(resolve, RESOLVE_MS, []).unref());
  const found = isIP(host) ? [{ address: host }] : await Promise.race([addressesOf(host), giveUp]);
  const inside = found.find((one) => isPrivate(one.address));
  if (inside) throw refused(host, inside.address);
}

async function addressesOf(host: string): Promise<{ address: string }[]> {
  try {
    return await dns.lookup(host, { all: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTFOUND')
      throw new OutboundRefused(`the host name ${host} is not known; correct it, or wait until it is`);
    return [];
  }
}

async function ask(
  url: URL,
  options: OutboundRequest & { signal: AbortSignal },
  allowPrivate: boolean,
): Promise<OutboundResponse> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = send(url, {
      method: options.method ?? 'GET',
      headers: { 'user-agent': 'Evander', ...options.headers },
      signal: options.signal,
      ...(allowPrivate ? {} : { lookup: lookupPublic }),
      // A connection that is kept would not be resolved, and so not be judged, again.
      agent: false,
    });
    request.once('response', resolve);
    request.once('error', reject);
    request.end(options.body);
  });
  const body = await readBody(response, options.maxBytes ?? 2 ** 20);
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

function readUrl(address: string): URL {
  if (!URL.canParse(address)) throw new OutboundRefused(`${address.slice(0, 200)} is no URL`);
  const url = new URL(address);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new OutboundRefused(`${url.protocol} is not asked; use http: or https:`);
  return url;
}

const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, '');
    const inside = addresses.find(({ address }) => isPrivate(address));
    if (inside) return callback(refused(hostname, inside.address), '');
    const [first] = addresses;
    if (options.all) return callback(null, addresses);
    return callback(null, first?.address ?? '', first?.family ?? 4);
  });
};

function refused(host: string, address: string): OutboundRefused {
  return new OutboundRefused(
    `${host} is at ${address}, which is no public address; set EVANDER_OUTBOUND_PRIVATE=allow to reach it`,
  );
}

async function readBody(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) {
      response.destroy();
      throw new Error(`the answer is longer than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What no public host has: the registries of special-purpose addresses (RFC 6890) and multicast. */
const SPECIAL = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  SPECIAL.addSubnet(net, bits, 'ipv4');
// Only 2000::/3 is given out; of it, tunnels and documentation are no hosts of the public net.
const PUBLIC_V6 = new BlockList();
PUBLIC_V6.addSubnet('2000::', 3, 'ipv6');
for (const [net, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  SPECIAL.addSubnet(net, bits, 'ipv6');

function isPrivate(address: string): boolean {
  if (!isIPv6(address)) return SPECIAL.check(address, 'ipv4');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return SPECIAL.check(mapped, 'ipv4');
  return !PUBLIC_V6.check(address, 'ipv6') || SPECIAL.check(address, 'ipv6');
}
