import type { SecureVersion } from 'node:tls';

/** A station's TLS: trusted roots, its certificate and its offers. Certificates and keys are PEM. */
export type StationTls = {
  /** Roots installed from the start, as CentralSystemRootCertificate. Without any, Node's roots are trusted. */
  ca?: string;
  /** Its own certificate, leaf first, with `key`; used in security profile 3, and in 0. */
  cert?: string;
  key?: string;
  /** As in embedded stations: `maxVersion: 'TLSv1.2'` and `ciphers` in OpenSSL's syntax. */
  minVersion?: SecureVersion;
  maxVersion?: SecureVersion;
  ciphers?: string;
  /** The required name in the manager's certificate; default: the URL's host. */
  servername?: string;
};

/** How a station handles certificates and security profiles. */
export type SecurityOptions = {
  /** When an accepted SecurityProfile takes effect: immediately (default), or after the next Reset. */
  upgrade?: 'atOnce' | 'afterReset';
  /** Failed attempts with a new profile or certificate before it falls back to the old one; default 3. */
  attempts?: number;
  /** Delay before it retries a profile after a fallback; default 60 s. */
  retryMs?: number;
  /** In profile 3 a new certificate causes an immediate reconnect; default true. */
  reconnectWithNewCertificate?: boolean;
  /** CertificateSigned must lead to an installed root, once there is one; default false. */
  strictChain?: boolean;
  /** Replaces CertSigningWaitMinimum, which is in whole seconds. */
  signingWaitMs?: number;
};
