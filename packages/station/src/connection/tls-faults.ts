/** What the station reports of a TLS handshake that failed (SEC §8). */
export type TlsFault = {
  type: 'InvalidCentralSystemCertificate' | 'InvalidTLSVersion' | 'InvalidTLSCipherSuite';
  techInfo: string;
};

// OpenSSL's words for it, be they its own or those of the other side's alert.
const VERSION = /alert protocol version|unsupported protocol|wrong ssl version/i;
const CIPHER =
  /alert handshake failure|no ciphers available|(wrong|unknown) cipher returned|insufficient security/i;
const REASON = /:SSL routines:[^:]*:([^:]+):/;
// Codes of Node's: its own for the wrong host name, and X.509's.
const CERTIFICATE =
  /^(ERR_TLS_CERT_ALTNAME_INVALID|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_\w+|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED)$/;

/** Undefined when the handshake failed for another reason, or nobody answered. */
export function tlsFaultOf(error: Error): TlsFault | undefined {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (CERTIFICATE.test(code)) return { type: 'InvalidCentralSystemCertificate', techInfo: code };
  // Where writing fails before the alert is read the code is EPROTO, and the message the only witness.
  const techInfo = REASON.exec(error.message)?.[1] ?? '';
  if (VERSION.test(techInfo)) return { type: 'InvalidTLSVersion', techInfo };
  return CIPHER.test(techInfo) ? { type: 'InvalidTLSCipherSuite', techInfo } : undefined;
}
