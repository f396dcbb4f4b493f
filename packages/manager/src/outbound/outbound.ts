import { timeLimit } from '@evander/process';
import { lookup } from 'node:dns';
import * as dns from 'node:dns/promises';
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { LookupFunction } from 'node:net';

/** The address is not allowed; the request was not sent. */
export class OutboundRefused extends Error {
  override name = 'OutboundRefused';
}

export interface OutboundRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: Buffer | string;
  /** Time limit for the whole exchange. Default: 10 s. */
  timeoutMs?: number;
  /** Maximum size of the response body; a longer one is an error. Default: 1 MiB. */
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
 * A client for URLs from outside (a station's responderURL, a webhook). Only http and https; follows no redirects. Unless `allowPrivate`,
 * only public addresses: they are checked when the name is resolved for the connection, so that DNS rebinding does not help an attacker.
 * Rejects with OutboundRefused before anything is sent, or with the error of the request.
 */
export function outbound({ allowPrivate }: { allowPrivate: boolean }): Outbound {
  return async (address, options = {}) => {
    const url = readUrl(address);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (!allowPrivate && isIP(host) && isPrivate(host)) throw refused(host, host);
    const limit = timeLimit(options.timeoutMs ?? 10_000, options.signal);
    try {
      return await send(url, { ...options, signal: limit.signal }, allowPrivate);
    } finally {
      limit.end();
    }
  };
}

/** Time limit for resolving a name in `checkOutbound`. */
const RESOLVE_TIMEOUT_MS = 3000;

/**
 * Rejects with OutboundRefused if `outbound` would reject this URL now: because of its syntax, its address, or the addresses of its name. A
 * name that cannot be resolved in time, or because the resolver is unavailable, passes: each request is checked again.
 */
export async function checkOutbound(
  address: string,
  { allowPrivate }: { allowPrivate: boolean },
): Promise<void> {
  const host = readUrl(address).hostname.replace(/^\[|\]$/g, '');
  if (allowPrivate) return;
  const timeout = new Promise<[]>((resolve) => setTimeout(resolve, RESOLVE_TIMEOUT_MS, []).unref());
  const found = isIP(host) ? [{ address: host }] : await Promise.race([addressesOf(host), timeout]);
  const privateOne = found.find((one) => isPrivate(one.address));
  if (privateOne) throw refused(host, privateOne.address);
}

async function addressesOf(host: string): Promise<{ address: string }[]> {
  try {
    return await dns.lookup(host, { all: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTFOUND')
      throw new OutboundRefused(`the host name ${host} does not exist; correct it, or wait until it exists`);
    return [];
  }
}

async function send(
  url: URL,
  options: OutboundRequest & { signal: AbortSignal },
  allowPrivate: boolean,
): Promise<OutboundResponse> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(url, {
      method: options.method ?? 'GET',
      headers: { 'user-agent': 'Evander', ...options.headers },
      signal: options.signal,
      ...(allowPrivate ? {} : { lookup: lookupPublic }),
      // With a kept-alive connection, the name would not be resolved and checked again.
      agent: false,
    });
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
    outgoing.end(options.body);
  });
  const body = await readBody(response, options.maxBytes ?? 2 ** 20);
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

function readUrl(address: string): URL {
  if (!URL.canParse(address)) throw new OutboundRefused(`${address.slice(0, 200)} is not a URL`);
  const url = new URL(address);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new OutboundRefused(`${url.protocol} is not allowed; use http: or https:`);
  return url;
}

const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, '');
    const privateOne = addresses.find(({ address }) => isPrivate(address));
    if (privateOne) return callback(refused(hostname, privateOne.address), '');
    const [first] = addresses;
    if (options.all) return callback(null, addresses);
    return callback(null, first?.address ?? '', first?.family ?? 4);
  });
};

function refused(host: string, address: string): OutboundRefused {
  return new OutboundRefused(
    `${host} is at ${address}, which is not a public address; set EVANDER_OUTBOUND_PRIVATE=allow to reach it`,
  );
}

async function readBody(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) {
      response.destroy();
      throw new Error(`the response is longer than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Addresses of no public host: the registries of special-purpose addresses (RFC 6890) and multicast. */
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
// Only 2000::/3 is allocated; of it, tunnels and documentation are not public hosts.
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
