import { X509Certificate } from 'node:crypto';

const BLOCK = (label: string): string => `-----BEGIN ${label}-----[A-Za-z\\d+/=\\s]+-----END ${label}-----`;
const CHAIN = new RegExp(`^\\s*(?:${BLOCK('CERTIFICATE')}\\s*)+$`);
const ONE = new RegExp(BLOCK('CERTIFICATE'), 'g');
const REQUEST =
  /^\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----([A-Za-z\d+/=\s]+)-----END \1CERTIFICATE REQUEST-----\s*$/;
/** The first byte of every X.509 and PKCS#10 structure in DER. */
const SEQUENCE = 0x30;

/** Whether the text is one or more PEM certificates and nothing else. Their content is not parsed. */
export function isCertificateChain(text: string): boolean {
  return CHAIN.test(text);
}

/** The certificates of a PEM chain, in order; undefined if one of them cannot be parsed. */
export function readCertificates(text: string): X509Certificate[] | undefined {
  if (!isCertificateChain(text)) return undefined;
  try {
    return text.match(ONE)?.map((pem) => new X509Certificate(pem));
  } catch {
    return undefined;
  }
}

/** Whether the text looks like a certificate signing request in PEM. Edition 1 of the security extension sends DER (SignCert.2). */
export function isSigningRequest(text: string): boolean {
  const [, , base64] = REQUEST.exec(text) ?? [];
  return base64 !== undefined && Buffer.from(base64, 'base64')[0] === SEQUENCE;
}
