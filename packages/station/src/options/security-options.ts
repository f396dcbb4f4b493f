import type { SecureVersion } from 'node:tls';

/** TLS of a station: what it trusts, what it shows, and what it offers. Certificates and keys are PEM. */
export type StationTls = {
  /** Roots that are installed from the start, as CentralSystemRootCertificate. Without any root Node's own are trusted. */
  ca?: string;
  /** Its own certificate, leaf first, with `key`; it is shown in security profile 3, and in 0. */
  cert?: string;
  key?: string;
  /** Of an embedded station: `maxVersion: 'TLSv1.2'` and its `ciphers`, in OpenSSL's words. */
  minVersion?: SecureVersion;
  maxVersion?: SecureVersion;
  ciphers?: string;
  /** The name that the manager's certificate must have; the host of the URL unless given. */
  servername?: string;
};

/** How a station deals with certificates and security profiles. */
export type SecurityOptions = {
  /** When an accepted SecurityProfile is used: at once (by default), or after the next Reset. */
  upgrade?: 'atOnce' | 'afterReset';
  /** So many failed attempts with a new profile or certificate, and it falls back to the old one; 3. */
  attempts?: number;
  /** A profile that it fell back from is tried again so long after the connection with the old one; 60 s. */
  retryMs?: number;
  /** In profile 3 a new certificate makes a new connection at once; true. */
  reconnectWithNewCertificate?: boolean;
  /** CertificateSigned must lead to an installed root, once there is one; false. */
  strictChain?: boolean;
  /** In place of CertSigningWaitMinimum, which knows whole seconds only. */
  signingWaitMs?: number;
};
