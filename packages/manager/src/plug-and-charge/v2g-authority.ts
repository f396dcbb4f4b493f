import { CertificateAuthority, readChain } from '@evander/pki';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { subjectFor } from '../certificates/signing-request.ts';
import type { IssueV2g } from './plug-and-charge.ts';

/** Certificates that stations present to EVs should be short-lived; a station renews its own well before this. */
const VALID_FOR_DAYS = 90;
const KEY = /-----BEGIN (?:EC |RSA )?PRIVATE KEY-----[A-Za-z\d+/=\s]+-----END (?:EC |RSA )?PRIVATE KEY-----/;

/** Loads the V2G sub-CA from a PEM file: its private key, its certificate, the sub-CAs above it. Rejects when it cannot be used. */
export async function v2gAuthorityOf(file: string, organisation: string): Promise<IssueV2g> {
  const authority = await open(file).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`EVANDER_V2G_CA_FILE ${file} cannot be used: ${reason}`, { cause: error });
  });
  return async (_stationId, csr) => {
    const subject = subjectFor(csr, { organisation, usage: 'v2g' });
    return withoutRoot(
      await authority.issueFromRequest(csr, { subject, validForDays: VALID_FOR_DAYS, usage: 'v2g' }),
    );
  };
}

/** A chain as stations expect it: PEM, leaf first, without the root (PnC.11). */
export function withoutRoot(chainPem: string): string {
  const [leaf, ...authorities] = readChain(chainPem);
  const subCas = authorities.filter(({ isSelfIssued }) => !isSelfIssued);
  return [leaf, ...subCas].map((certificate) => certificate?.pem ?? '').join('');
}

async function open(file: string): Promise<CertificateAuthority> {
  const text = await readFile(file, 'utf8');
  const [keyPem] = KEY.exec(text) ?? [];
  if (keyPem === undefined) throw new Error('it contains no unencrypted private key in PEM');
  const chain = readChain(text);
  const key = createPrivateKey(keyPem);
  if (!chain[0]?.isCa) throw new Error('its first certificate is not a CA certificate');
  if (!createPublicKey(key).equals(chain[0].key))
    throw new Error('its private key does not match its first certificate');
  const chainPem = chain.map(({ pem }) => pem).join('');
  return CertificateAuthority.load({
    chainPem,
    keyPem: String(key.export({ type: 'pkcs8', format: 'pem' })),
  });
}
