import { X509Certificate } from 'node:crypto';

const BLOCK = (label: string): string => `-----BEGIN ${label}-----[A-Za-z\\d+/=\\s]+-----END ${label}-----`;
const CHAIN = new RegExp(`^\\s*(?:${BLOCK('CERTIFICATE')}\\s*)+$`);
const ONE = new RegExp(BLOCK('CERTIFICATE'), 'g');
const REQUEST =
  /^\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----([A-Za-z\d+/=\s]+)-----END \1CERTIFICATE REQUEST-----\s*$/;
/** How every structure of X.509 and PKCS#10 begins in DER. */
const SEQUENCE = 0x30;

/** Is this one certificate in PEM or several, and nothing else? It is not read further. */
export function isCertificateChain(text: string): boolean {
  return CHAIN.test(text);
}

/** The certificates of a chain in PEM, first to last; undefined when one of them cannot be read. */
export function readCertificates(text: string): X509Certificate[] | undefined {
  if (!isCertificateChain(text)) return undefined;
  try {
    return text.match(ONE)?.map((pem) => new X509Certificate(pem));
  } catch {
    return undefined;
  }
}

/** Does this look like a certificate signing request in PEM? Edition 1 of the security extension sends DER (SignCert.2). */
export function isSigningRequest(text: string): boolean {
  const [, , base64] = REQUEST.exec(text) ?? [];
  return base64 !== undefined && Buffer.from(base64, 'base64')[0] === SEQUENCE;
}
