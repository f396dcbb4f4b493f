import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '../../src/database/database.ts';
import * as pncRoots from '../../src/plug-and-charge/roots.store.ts';
import { openssl, OpensslCa } from '../certificates/openssl-ca.ts';
import type { Issued, IssueOptions } from '../certificates/openssl-ca.ts';
import { standIn } from './pnc.ts';
import type { StandIn } from './pnc.ts';

/** A mobility operator with a root, a sub-CA that issues contracts, and an HTTP server that is the OCSP responder for both. */
export interface TestPki {
  root: OpensslCa;
  sub: OpensslCa;
  responder: StandIn;
  /** A contract under the sub-CA; its certificate names the responder. */
  contract(emaid: string, options?: IssueOptions): Issued;
  /** Overrides the responder's answers; undefined restores the correct ones. */
  answerWith(answer: ((request: Buffer) => Promise<{ status?: number; body?: Buffer }>) | undefined): void;
  close(): Promise<void>;
}

/** Creates the authorities in a folder that `close` removes. */
export async function openPki(name: string): Promise<TestPki> {
  const folder = mkdtempSync(join(tmpdir(), `evander-${name}-`));
  let override: Parameters<TestPki['answerWith']>[0];
  const cas: Record<string, { ca: OpensslCa; signer: Issued }> = {};
  const responder = await standIn(async ({ path, body }) => {
    if (override) return { type: 'application/ocsp-response', ...(await override(body)) };
    const by = cas[path.slice(1)];
    if (!by) return { status: 404 };
    return { type: 'application/ocsp-response', body: by.ca.answerOcsp(body, by.signer) };
  });
  const root = new OpensslCa(join(folder, `${name} root`));
  const sub = new OpensslCa(join(folder, `${name} sub`), {
    by: root,
    options: { ocsp: `${responder.url}/root` },
  });
  cas['root'] = { ca: root, signer: root.issue('root responder', { kind: 'responder' }) };
  cas['sub'] = { ca: sub, signer: sub.issue('sub responder', { kind: 'responder' }) };
  return {
    root,
    sub,
    responder,
    contract: (emaid, options) => sub.issue(emaid, { ocsp: `${responder.url}/sub`, ...options }),
    answerWith: (answer) => (override = answer),
    close: async () => {
      await responder.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The OCSP hash data of a certificate, as openssl calculates them. */
export function hashDataOf(
  { certificateFile }: Issued,
  issuer: OpensslCa,
  {
    algorithm = 'SHA256',
    responderURL,
  }: { algorithm?: 'SHA256' | 'SHA384' | 'SHA512'; responderURL?: string },
) {
  const text = openssl(
    ...['ocsp', `-${algorithm.toLowerCase()}`, '-issuer', issuer.issued.certificateFile],
    ...['-cert', certificateFile, '-req_text', '-reqout', '/dev/null'],
  )
    .toString()
    .replaceAll('\\\n', '');
  const field = (name: string): string => new RegExp(`${name}: ([\\dA-F]+)`).exec(text)?.[1] ?? '';
  return {
    hashAlgorithm: algorithm,
    issuerNameHash: field('Issuer Name Hash'),
    issuerKeyHash: field('Issuer Key Hash'),
    serialNumber: field('Serial Number'),
    ...(responderURL !== undefined && { responderURL }),
  };
}

/** Trusts an authority. */
export async function trust(
  manager: { database: Database },
  { pem }: { pem: string },
  certificateType: 'V2GRootCertificate' | 'MORootCertificate' = 'MORootCertificate',
): Promise<void> {
  const { fingerprint256, subject, issuer, serialNumber, validFrom, validTo } = new X509Certificate(pem);
  await pncRoots.put(manager.database, {
    fingerprint: fingerprint256.replaceAll(':', '').toLowerCase(),
    certificateType,
    isSelfSigned: subject === issuer,
    pem,
    serialNumber,
    subject,
    issuer,
    validFrom: new Date(validFrom),
    validTo: new Date(validTo),
    note: null,
  });
}
