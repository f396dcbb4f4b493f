import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { BlockList, isIPv6 } from 'node:net';
import { TLSSocket } from 'node:tls';
import { ofForwardedHeader, ofSocket } from './client-certificate.ts';
import type { CertificateHeader, ClientCertificate } from './client-certificate.ts';
import type { Origin } from './proxy-protocol.ts';

/** A handshake as the checks see it. A trusted proxy's headers count as if the gateway had observed them itself. */
export interface Attempt {
  target: string;
  headers: IncomingHttpHeaders;
  remoteAddress: string;
  /** Whether the address comes from a proxy's header. */
  isForwarded: boolean;
  /** Whether the station connected over TLS. */
  isSecure: boolean;
  clientCertificate?: ClientCertificate;
}

/** Proxies whose forwarding headers are trusted; from other peers these headers are ignored. */
export class TrustedProxies {
  readonly #networks = new BlockList();
  readonly #hasAny: boolean;
  readonly #certificateHeader: CertificateHeader | undefined;

  /** Networks such as `10.0.0.0/8`, or single addresses. */
  constructor(networks: readonly string[], certificateHeader?: CertificateHeader) {
    this.#certificateHeader = certificateHeader;
    this.#hasAny = networks.length > 0;
    for (const network of networks) {
      const [address = '', bits] = network.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#networks.addAddress(address, family);
      else this.#networks.addSubnet(address, Number(bits), family);
    }
  }

  read({ url: target = '', headers, socket }: IncomingMessage, { address, isProxied }: Origin): Attempt {
    const isSecure = socket instanceof TLSSocket;
    const seen = isSecure ? ofSocket(socket) : undefined;
    const attempt = { target, headers, remoteAddress: address, isForwarded: false, isSecure };
    // A load balancer that passes data through adds no headers: all of them come from the station.
    if (isProxied || !this.has(address)) return { ...attempt, ...(seen && { clientCertificate: seen }) };
    const scheme = lastOf(headers['x-forwarded-proto']).toLowerCase();
    const shown = this.#certificateHeader ? ofForwardedHeader(headers, this.#certificateHeader) : seen;
    const remoteAddress = this.#clientOf(headers, address);
    return {
      ...attempt,
      remoteAddress,
      isForwarded: remoteAddress !== address,
      // Some proxies send the WebSocket scheme here (Traefik).
      isSecure: scheme === '' ? isSecure : ['https', 'wss'].includes(scheme),
      ...(shown && { clientCertificate: shown }),
    };
  }

  // Each proxy appends its peer's address. From the end, the first address that is not a trusted proxy is the client.
  #clientOf(headers: IncomingHttpHeaders, peer: string): string {
    const hops = String(headers['x-forwarded-for'] ?? '')
      .split(',')
      .map((hop) => hop.trim())
      .filter((hop) => hop !== '');
    return hops.reverse().find((hop) => !this.has(hop)) ?? hops.at(-1) ?? peer;
  }

  has(address: string): boolean {
    if (!this.#hasAny) return false;
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
    return this.#networks.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  }
}

// The value that the nearest hop appended.
function lastOf(header: string | string[] | undefined): string {
  return (
    String(header ?? '')
      .split(',')
      .at(-1)
      ?.trim() ?? ''
  );
}
