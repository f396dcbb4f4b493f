import { X509Certificate } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

/** The certificate that a station has shown; who shows one has proven in the TLS handshake to hold its key. */
export interface ClientCertificate {
  /** PEM, that of the station first, then what it sent with it. */
  chain: string;
  /** SHA-256 of the station's own, in hex. */
  fingerprint: string;
}

/** Intermediates beyond this are not looked at. */
const MAX_CHAIN = 6;
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificate shown on a socket; undefined when none was. */
export function ofSocket(socket: TLSSocket): ClientCertificate | undefined {
  const chain: Buffer[] = [];
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  // What is self-signed is its own issuer.
  while (
    certificate?.raw &&
    chain.length < MAX_CHAIN &&
    !chain.some((one) => one.equals(certificate?.raw ?? one))
  ) {
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return read(chain);
}

/**
 * The certificate that a proxy saw, as one of the headers in use tells it: `Client-Cert` (RFC 9440), `X-SSL-Client-Cert` with nginx's
 * `$ssl_client_escaped_cert`, `X-Forwarded-Client-Cert` as Envoy writes it. Undefined when there is none that can be read.
 */
export function ofForwardedHeaders(headers: IncomingHttpHeaders): ClientCertificate | undefined {
  const byRfc9440 = [headers['client-cert'], headers['client-cert-chain']]
    .flatMap((header) => String(header ?? '').split(','))
    .flatMap((item) => /^\s*:([A-Za-z\d+/=]+):\s*$/.exec(item)?.[1] ?? []);
  if (byRfc9440.length > 0) return read(byRfc9440.map((base64) => Buffer.from(base64, 'base64')));
  const envoy = /(?:^|;)Cert="([^"]+)"/i.exec(String(headers['x-forwarded-client-cert'] ?? ''))?.[1];
  const escaped = headers['x-ssl-client-cert'] ?? envoy;
  return escaped === undefined ? undefined : read(unescaped(String(escaped)).match(PEM) ?? []);
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

function read(chain: (Buffer | string)[]): ClientCertificate | undefined {
  try {
    const [own, ...others] = chain.slice(0, MAX_CHAIN).map((one) => new X509Certificate(one));
    if (!own) return undefined;
    return {
      chain: [own, ...others].map((one) => one.toString()).join(''),
      fingerprint: own.fingerprint256.replaceAll(':', '').toLowerCase(),
    };
  } catch {
    return undefined;
  }
}
