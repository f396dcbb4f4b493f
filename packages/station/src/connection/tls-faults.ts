/** The station's report about a failed TLS handshake (SEC §8). */
export type TlsFault = {
  type: 'InvalidCentralSystemCertificate' | 'InvalidTLSVersion' | 'InvalidTLSCipherSuite';
  techInfo: string;
};

// OpenSSL's texts, either its own or for the peer's alert.
const VERSION = /alert protocol version|unsupported protocol|wrong ssl version/i;
const CIPHER =
  /alert handshake failure|no ciphers available|(wrong|unknown) cipher returned|insufficient security/i;
const REASON = /:SSL routines:[^:]*:([^:]+):/;
// Node's error codes: its own for a wrong host name, and those for X.509.
const CERTIFICATE =
  /^(ERR_TLS_CERT_ALTNAME_INVALID|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_\w+|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED)$/;

/** Undefined if the handshake failed for another reason or there was no answer. */
export function tlsFaultOf(error: Error): TlsFault | undefined {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (CERTIFICATE.test(code)) return { type: 'InvalidCentralSystemCertificate', techInfo: code };
  // If writing fails before the alert is read, the code is EPROTO, and only the message has the reason.
  const techInfo = REASON.exec(error.message)?.[1] ?? '';
  if (VERSION.test(techInfo)) return { type: 'InvalidTLSVersion', techInfo };
  return CIPHER.test(techInfo) ? { type: 'InvalidTLSCipherSuite', techInfo } : undefined;
}
