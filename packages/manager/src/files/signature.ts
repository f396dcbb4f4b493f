import { constants, createVerify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readCertificates } from '../certificates/pem.ts';

const BASE64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/;

export function isBase64(text: string): boolean {
  return text !== '' && BASE64.test(text);
}

/**
 * Whether the signature matches the contents and the certificate's key, with SHA-256 (SEC L01). Supports ECDSA, RSA PKCS #1 and RSA-PSS.
 * Does not check whether the certificate is valid and trusted: the station does.
 */
export async function isSignatureOf(
  contents: AsyncIterable<Buffer>,
  { signature, signingCertificate }: { signature: string; signingCertificate: string },
): Promise<boolean> {
  const key = readCertificates(signingCertificate)?.[0]?.publicKey;
  if (!key) return false;
  const verifiers = paddingsOf(key).map((padding) => ({ padding, verifier: createVerify('sha256') }));
  for await (const bytes of contents) for (const { verifier } of verifiers) verifier.update(bytes);
  const value = Buffer.from(signature, 'base64');
  return verifiers.some(({ padding, verifier }) => verifier.verify({ key, ...padding }, value));
}

function paddingsOf({ asymmetricKeyType: type }: KeyObject): { padding?: number }[] {
  if (type === 'ec') return [{}];
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING };
  if (type === 'rsa-pss') return [pss];
  return type === 'rsa' ? [{ padding: constants.RSA_PKCS1_PADDING }, pss] : [];
}
