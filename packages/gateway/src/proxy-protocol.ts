import { isIPv4, isIPv6 } from 'node:net';
import type { Socket } from 'node:net';
import { OpeningError, readOpening } from './first-bytes.ts';

/** What the first bytes of a connection are in PROXY protocol, as HAProxy's proxy-protocol.txt defines it. */
export type ProxyHeader =
  /** There may be one: more bytes are needed to tell. */
  | { kind: 'incomplete' }
  /** There is none. */
  | { kind: 'none' }
  | { kind: 'invalid'; reason: string }
  | ({ kind: 'complete'; length: number } & Proxied);

/** Whose connection a header says that it is. */
export interface Proxied {
  /** False where the proxy speaks for itself, as in its health checks (LOCAL), and where there is no header. */
  isProxied: boolean;
  /** The client's; undefined where the proxy cannot tell it (UNKNOWN, AF_UNSPEC, AF_UNIX). */
  address: string | undefined;
}

/** Whose connection a socket is. */
export interface Origin {
  /** The peer's, or the one that a trusted load balancer has told by PROXY protocol. */
  address: string;
  /** True where a load balancer passes through what the client sends: nothing in it comes from a proxy. */
  isProxied: boolean;
}

const INCOMPLETE = { kind: 'incomplete' } as const;
const SIGNATURE_V1 = Buffer.from('PROXY ');
const SIGNATURE_V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n');
const HEAD_V2 = 16;
/** CRLF included (§2.1). */
const MAX_V1 = 107;
/** Addresses and TLVs; the format would allow 65,535. */
const MAX_V2 = 4096;

/** Reads the header at the beginning of a connection's bytes, version 1 or 2. Never throws. */
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
  if (version !== 2) return invalid(`version ${version} is not known`);
  if (command > 1) return invalid(`version 2: command ${command} is not known`);
  if (family > 3 || transport > 2) return invalid('version 2: the address family is not known');
  if (rest > MAX_V2) return invalid(`version 2: ${rest} bytes are too many`);
  if (bytes.length < HEAD_V2 + rest) return INCOMPLETE;
  const length = HEAD_V2 + rest;
  const block = bytes.subarray(HEAD_V2, length);
  const size = family === 1 ? 4 : family === 2 ? 16 : 0;
  // The addresses of a LOCAL header are to be ignored (§2.2), and so are those that are no IP addresses.
  if (command === 0) return { kind: 'complete', length, isProxied: false, address: undefined };
  if (size === 0) return complete(length, undefined);
  // Source and destination address, then their ports; TLVs behind them are skipped.
  if (rest < 2 * size + 4) return invalid('version 2: the addresses are cut short');
  return complete(length, size === 4 ? ipv4(block) : ipv6(block));
}

function ipv4(block: Buffer): string {
  return block.subarray(0, 4).join('.');
}

function ipv6(block: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => block.readUInt16BE(2 * i).toString(16));
  // The URL parser knows the canonical form (RFC 5952).
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
 * Takes the header, if there is one, off a new connection, and leaves the rest for the next reader. Rejects when the header is invalid,
 * or when the first bytes do not come in time.
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
