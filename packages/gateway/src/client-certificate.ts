import { X509Certificate } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

/** The certificate that a station presented. The TLS handshake has proven that the client holds its key. */
export interface ClientCertificate {
  /** PEM: the station's certificate first, then the others that it sent. */
  chain: string;
  /** SHA-256 of the station's certificate, in hex. */
  fingerprint: string;
}

/** Intermediates beyond this are ignored. */
const MAX_CHAIN = 6;
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificate presented on a socket; undefined when there was none. */
export function ofSocket(socket: TLSSocket): ClientCertificate | undefined {
  const chain: Buffer[] = [];
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  // A self-signed certificate is its own issuer.
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
 * The headers in which proxies forward a certificate: `Client-Cert` (RFC 9440), `X-SSL-Client-Cert` with nginx's
 * `$ssl_client_escaped_cert`, `X-Forwarded-Client-Cert` as Envoy writes it.
 */
export type CertificateHeader = 'client-cert' | 'x-ssl-client-cert' | 'x-forwarded-client-cert';

const READERS: Record<
  CertificateHeader,
  (value: string, headers: IncomingHttpHeaders) => (Buffer | string)[]
> = {
  'client-cert': (value, headers) =>
    [value, ...String(headers['client-cert-chain'] ?? '').split(',')].flatMap((item) => {
      const base64 = /^\s*:([A-Za-z\d+/=]+):\s*$/.exec(item)?.[1];
      return base64 === undefined ? [] : [Buffer.from(base64, 'base64')];
    }),
  'x-ssl-client-cert': (value) => unescaped(value).match(PEM) ?? [],
  // Every proxy on the path appends an element: the last one comes from the nearest proxy.
  'x-forwarded-client-cert': (value) => {
    const last = value.slice(lastElementAt(value));
    return unescaped(/(?:^|;)\s*Cert="([^"]+)"/i.exec(last)?.[1] ?? '').match(PEM) ?? [];
  },
};

/**
 * The certificate that a proxy forwards in this header; undefined when there is none, when it is unreadable, or when there is more than
 * one.
 */
export function ofForwardedHeader(
  headers: IncomingHttpHeaders,
  header: CertificateHeader,
): ClientCertificate | undefined {
  const value = String(headers[header] ?? '');
  // A comma means two joined headers, one of which the client may have sent. Only Envoy's header is a list.
  if (header !== 'x-forwarded-client-cert' && value.includes(',')) return undefined;
  return read(READERS[header](value, headers));
}

/** Index at which the last element of a list starts. Commas inside quotes, as in a subject, are not separators. */
function lastElementAt(list: string): number {
  let start = 0;
  let isQuoted = false;
  for (let i = 0; i < list.length; i++) {
    if (list[i] === '\\') i++;
    else if (list[i] === '"') isQuoted = !isQuoted;
    else if (list[i] === ',' && !isQuoted) start = i + 1;
  }
  return start;
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
