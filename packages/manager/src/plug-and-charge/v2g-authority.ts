import { CertificateAuthority, readChain } from '@evander/pki';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { subjectFor } from '../certificates/signing-request.ts';
import type { IssueV2g } from './plug-and-charge.ts';

/** A station has long asked for another by then; what stations show to EVs is meant to be short-lived. */
const DAYS = 90;
const KEY = /-----BEGIN (?:EC |RSA )?PRIVATE KEY-----[A-Za-z\d+/=\s]+-----END (?:EC |RSA )?PRIVATE KEY-----/;

/** The V2G sub-CA in a PEM file: its private key, its certificate, the sub-CAs above. Rejects when it cannot be used. */
export async function v2gAuthorityOf(file: string, organisation: string): Promise<IssueV2g> {
  const authority = await open(file).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`EVANDER_V2G_CA_FILE ${file} cannot be used: ${reason}`, { cause: error });
  });
  return async (_stationId, csr) => {
    const subject = subjectFor(csr, { organisation, usage: 'v2g' });
    return withoutRoot(await authority.issueFromRequest(csr, { subject, validForDays: DAYS, usage: 'v2g' }));
  };
}

/** A chain as stations want it: PEM, leaf first, the root left out (PnC.11). */
export function withoutRoot(chainPem: string): string {
  const [leaf, ...authorities] = readChain(chainPem);
  const between = authorities.filter(({ isSelfIssued }) => !isSelfIssued);
  return [leaf, ...between].map((certificate) => certificate?.pem ?? '').join('');
}

async function open(file: string): Promise<CertificateAuthority> {
  const text = await readFile(file, 'utf8');
  const [keyPem] = KEY.exec(text) ?? [];
  if (keyPem === undefined) throw new Error('there is no private key in PEM in it, without a passphrase');
  const chain = readChain(text);
  const key = createPrivateKey(keyPem);
  if (!chain[0]?.isCa) throw new Error('its first certificate is not one of an authority');
  if (!createPublicKey(key).equals(chain[0].key))
    throw new Error('its private key is not that of its first certificate');
  const chainPem = chain.map(({ pem }) => pem).join('');
  return CertificateAuthority.load({
    chainPem,
    keyPem: String(key.export({ type: 'pkcs8', format: 'pem' })),
  });
}
