/** What the station reports of a TLS handshake that failed (SEC §8). */
export type TlsFault = 'InvalidCentralSystemCertificate' | 'InvalidTLSVersion' | 'InvalidTLSCipherSuite';

// Both sides' words of it, and Node's own code for the wrong host name.
const VERSION = /^ERR_SSL_(UNSUPPORTED_PROTOCOL|TLSV1_ALERT_PROTOCOL_VERSION|WRONG_SSL_VERSION)$/;
const CIPHER =
  /^ERR_SSL_(SSLV3_ALERT_HANDSHAKE_FAILURE|NO_CIPHERS_AVAILABLE|WRONG_CIPHER_RETURNED|UNKNOWN_CIPHER_RETURNED|TLSV1_ALERT_INSUFFICIENT_SECURITY)$/;
const CERTIFICATE =
  /^(ERR_TLS_CERT_ALTNAME_INVALID|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_\w+|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED)$/;

/** Undefined when the handshake failed for another reason, or nobody answered. */
export function tlsFaultOf(error: Error): TlsFault | undefined {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (CERTIFICATE.test(code)) return 'InvalidCentralSystemCertificate';
  if (VERSION.test(code)) return 'InvalidTLSVersion';
  return CIPHER.test(code) ? 'InvalidTLSCipherSuite' : undefined;
}
