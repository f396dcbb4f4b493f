import { isIPv4, isIPv6 } from 'node:net';
import type { Socket } from 'node:net';
import { OpeningError, readOpening } from './first-bytes.ts';

/** The PROXY protocol header at the start of a connection, as defined by HAProxy's proxy-protocol.txt. */
export type ProxyHeader =
  /** More bytes are needed to decide. */
  | { kind: 'incomplete' }
  /** No header. */
  | { kind: 'none' }
  | { kind: 'invalid'; reason: string }
  | ({ kind: 'complete'; length: number } & Proxied);

/** The client that a header reports. */
export interface Proxied {
  /** False when the proxy connects on its own behalf, for example for health checks (LOCAL), and when there is no header. */
  isProxied: boolean;
  /** The client's address; undefined when the proxy does not report it (UNKNOWN, AF_UNSPEC, AF_UNIX). */
  address: string | undefined;
}

/** The client behind a socket. */
export interface Origin {
  /** The peer's address, or the one that a trusted load balancer reported by PROXY protocol. */
  address: string;
  /** True when a load balancer passes the client's data through unchanged: no header in it comes from a proxy. */
  isProxied: boolean;
}

const INCOMPLETE = { kind: 'incomplete' } as const;
const SIGNATURE_V1 = Buffer.from('PROXY ');
const SIGNATURE_V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n');
const HEAD_V2 = 16;
/** Including CRLF (§2.1). */
const MAX_V1 = 107;
/** Addresses and TLVs; the format allows up to 65,535. */
const MAX_V2 = 4096;

/** Parses a version 1 or 2 header at the start of a connection. Never throws. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsLike(bytes, SIGNATURE_V2)) return bytes.length < HEAD_V2 ? INCOMPLETE : parseV2(bytes);
  if (startsLike(bytes, SIGNATURE_V1)) return parseV1(bytes);
  return { kind: 'none' };
}

function startsLike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.subarray(0, length).equals(signature.subarray(0, length));
}

function parseV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, MAX_V1).indexOf('\r\n');
  if (end === -1) return bytes.length < MAX_V1 ? INCOMPLETE : invalid('version 1: the line does not end');
  const [, protocol, source = '', destination = '', ...ports] = bytes.toString('latin1', 0, end).split(' ');
  const length = end + 2;
  if (protocol === 'UNKNOWN') return complete(length, undefined);
  const isAddress = protocol === 'TCP4' ? isIPv4 : protocol === 'TCP6' ? isIPv6 : () => false;
  if (!isAddress(source) || !isAddress(destination)) return invalid('version 1: no addresses');
  if (ports.length !== 2 || !ports.every(isPort)) return invalid('version 1: no ports');
  return complete(length, source);
}

function isPort(text: string): boolean {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function parseV2(bytes: Buffer): ProxyHeader {
  const version = bytes.readUInt8(12) >> 4;
  const command = bytes.readUInt8(12) & 0x0f;
  const family = bytes.readUInt8(13) >> 4;
  const transport = bytes.readUInt8(13) & 0x0f;
  const rest = bytes.readUInt16BE(14);
  if (version !== 2) return invalid(`version ${version} is unknown`);
  if (command > 1) return invalid(`version 2: command ${command} is unknown`);
  if (family > 3 || transport > 2) return invalid('version 2: the address family is unknown');
  if (rest > MAX_V2) return invalid(`version 2: ${rest} bytes is too long`);
  if (bytes.length < HEAD_V2 + rest) return INCOMPLETE;
  const length = HEAD_V2 + rest;
  const block = bytes.subarray(HEAD_V2, length);
  const size = family === 1 ? 4 : family === 2 ? 16 : 0;
  // Addresses in a LOCAL header must be ignored (§2.2); non-IP addresses are ignored too.
  if (command === 0) return { kind: 'complete', length, isProxied: false, address: undefined };
  if (size === 0) return complete(length, undefined);
  // Source and destination addresses, then their ports. The TLVs after them are skipped.
  if (rest < 2 * size + 4) return invalid('version 2: the addresses are truncated');
  return complete(length, size === 4 ? ipv4(block) : ipv6(block));
}

function ipv4(block: Buffer): string {
  return block.subarray(0, 4).join('.');
}

function ipv6(block: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => block.readUInt16BE(2 * i).toString(16));
  // The URL parser produces the canonical form (RFC 5952).
  const canonical = new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(canonical);
  return mapped ? ipv4(block.subarray(12)) : canonical;
}

function complete(length: number, address: string | undefined): ProxyHeader {
  return { kind: 'complete', length, isProxied: true, address };
}

function invalid(reason: string): ProxyHeader {
  return { kind: 'invalid', reason };
}

/**
 * Consumes the header of a new connection, if there is one, and leaves the rest for the next reader. Rejects when the header is invalid or
 * the first bytes do not arrive in time.
 */
export function takeProxyHeader(socket: Socket, timeoutMs: number): Promise<Proxied> {
  return readOpening<Proxied>(socket, timeoutMs, (bytes) => {
    const header = parseProxyHeader(bytes);
    if (header.kind === 'incomplete') return undefined;
    if (header.kind === 'invalid') throw new OpeningError(400, `PROXY protocol, ${header.reason}`);
    if (header.kind === 'none') return { value: { isProxied: false, address: undefined }, length: 0 };
    return { value: { isProxied: header.isProxied, address: header.address }, length: header.length };
  });
}
