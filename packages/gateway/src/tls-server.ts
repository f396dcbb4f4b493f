import type { ServerOptions } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { ServerCertificates } from './server-certificates.ts';

/**
 * The cipher suites that ocppj.md TLS.4 requires, those of TLS 1.3, and ECDHE with RSA for stations that support better than TLS_RSA. The
 * types of the certificates determine which suites work.
 */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
].join(':');

const OPTIONS = { minVersion: 'TLSv1.2', ciphers: CIPHERS, honorCipherOrder: true } as const;

export interface TlsServer {
  server: Server;
  /** Uses these certificates for new connections. */
  use(certificates: ServerCertificates): void;
}

/**
 * Creates an HTTPS server that requests a client certificate and accepts any, or none. The handshake checks validate the certificate once
 * the station is known (ocppj.md TLS.13).
 */
export function createTlsServer(options: ServerOptions & { handshakeTimeout: number }): TlsServer {
  const server = createServer({ ...options, ...OPTIONS, requestCert: true, rejectUnauthorized: false });
  return {
    server,
    use: (certificates) => server.setSecureContext({ ...OPTIONS, ...certificates }),
  };
}
