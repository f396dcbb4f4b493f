import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { BlockList, isIPv6 } from 'node:net';
import { TLSSocket } from 'node:tls';
import { ofForwardedHeaders, ofSocket } from './client-certificate.ts';
import type { ClientCertificate } from './client-certificate.ts';

/** A handshake as the guards see it: what a trusted proxy tells counts as if it had been seen here. */
export interface Attempt {
  target: string;
  headers: IncomingHttpHeaders;
  remoteAddress: string;
  /** Did the station come over TLS? */
  isSecure: boolean;
  clientCertificate?: ClientCertificate;
}

/** The proxies whose forwarding headers are believed; from anyone else they are passed over. */
export class TrustedProxies {
  readonly #networks = new BlockList();

  /** Networks as `10.0.0.0/8`, or single addresses. */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = '', bits] = network.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#networks.addAddress(address, family);
      else this.#networks.addSubnet(address, Number(bits), family);
    }
  }

  read({ url: target = '', headers, socket }: IncomingMessage): Attempt {
    const peer = socket.remoteAddress ?? '';
    const attempt: Attempt = { target, headers, remoteAddress: peer, isSecure: socket instanceof TLSSocket };
    const seen = socket instanceof TLSSocket ? ofSocket(socket) : undefined;
    if (!this.#has(peer)) return { ...attempt, ...(seen && { clientCertificate: seen }) };
    const told = seen ?? ofForwardedHeaders(headers);
    return {
      ...attempt,
      remoteAddress: this.#clientOf(headers, peer),
      isSecure: attempt.isSecure || first(headers['x-forwarded-proto']).toLowerCase() === 'https',
      ...(told && { clientCertificate: told }),
    };
  }

  // Each proxy adds whom it heard from at the end: the first one from there that is no proxy of ours is the client.
  #clientOf(headers: IncomingHttpHeaders, peer: string): string {
    const hops = String(headers['x-forwarded-for'] ?? '')
      .split(',')
      .map((hop) => hop.trim())
      .filter((hop) => hop !== '');
    return hops.reverse().find((hop) => !this.#has(hop)) ?? hops.at(-1) ?? peer;
  }

  #has(address: string): boolean {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
    return this.#networks.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  }
}

function first(header: string | string[] | undefined): string {
  return (
    String(header ?? '')
      .split(',', 1)[0]
      ?.trim() ?? ''
  );
}
