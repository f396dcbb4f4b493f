import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as pncRoots from '../src/store/pnc-roots.ts';
import type { Database } from '../src/store/db.ts';
import { standIn } from './pnc.ts';
import type { StandIn } from './pnc.ts';

function openssl(...args: string[]): Buffer {
  return execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

const EXTENSIONS = {
  ca: 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n',
  leaf: 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyAgreement\n',
  responder: 'basicConstraints=critical,CA:FALSE\nextendedKeyUsage=OCSPSigning\n',
};

export interface Issued {
  /** PEM. */
  certificate: string;
  key: string;
  certificateFile: string;
  keyFile: string;
}

export interface IssueOptions {
  kind?: keyof typeof EXTENSIONS;
  /** When it ends, as openssl wants it: YYYYMMDDHHMMSSZ. */
  end?: string;
  /** How many sub-CAs it allows under it; any number when undefined. */
  pathLength?: number;
  /** The address of its responder; none when undefined. */
  ocsp?: string;
}

/** A certification authority made with openssl, in a folder of its own, with the index that its responder answers from. */
export class OpensslCa {
  readonly folder: string;
  readonly issued: Issued;
  readonly #config: string;
  #count = 0;

  constructor(folder: string, own?: { by: OpensslCa; options: IssueOptions }) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    const name = folder.split('/').at(-1) ?? 'ca';
    this.issued = own ? own.by.issue(name, { ...own.options, kind: 'ca' }) : selfSigned(folder, name);
    this.#config = join(folder, 'ca.cnf');
    writeFileSync(join(folder, 'index.txt'), '');
    writeFileSync(join(folder, 'index.txt.attr'), 'unique_subject = no\n');
    writeFileSync(
      this.#config,
      `[ca]\ndefault_ca=own\n[own]\ndatabase=${folder}/index.txt\nnew_certs_dir=${folder}\ncertificate=${this.issued.certificateFile}\n` +
        `private_key=${this.issued.keyFile}\ndefault_md=sha256\npolicy=any\nrand_serial=yes\nunique_subject=no\n` +
        `[any]\ncommonName=supplied\norganizationName=optional\n`,
    );
  }

  get pem(): string {
    return this.issued.certificate;
  }

  /** A key and a certificate for a common name. */
  issue(commonName: string, { kind = 'leaf', end, ocsp, pathLength }: IssueOptions = {}): Issued {
    const base = join(this.folder, `${kind}-${(this.#count += 1)}`);
    const request = `${base}.csr`;
    const extensions = `${base}.ext`;
    writeFileSync(
      extensions,
      EXTENSIONS[kind].replace(
        'CA:TRUE',
        pathLength === undefined ? 'CA:TRUE' : `CA:TRUE,pathlen:${pathLength}`,
      ) + (ocsp === undefined ? '' : `authorityInfoAccess=OCSP;URI:${ocsp}\n`),
    );
    makeKey(`${base}.key`);
    openssl(
      'req',
      '-new',
      '-key',
      `${base}.key`,
      '-subj',
      `/O=Evander test/CN=${commonName}`,
      '-out',
      request,
    );
    const start = end === undefined ? [] : ['-startdate', '20200101000000Z'];
    openssl(
      ...['ca', '-batch', '-notext', '-config', this.#config, '-in', request, '-out', `${base}.pem`],
      ...['-extfile', extensions, ...start, '-enddate', end ?? '20991231235959Z'],
    );
    return read(`${base}.pem`, `${base}.key`);
  }

  /** What a certificate that is none of an authority signs all the same. */
  issueBy({ certificateFile, keyFile }: Issued, commonName: string): Issued {
    const base = join(this.folder, `under-${(this.#count += 1)}`);
    makeKey(`${base}.key`);
    openssl('req', '-new', '-key', `${base}.key`, '-subj', `/CN=${commonName}`, '-out', `${base}.csr`);
    openssl(
      ...['x509', '-req', '-in', `${base}.csr`, '-CA', certificateFile, '-CAkey', keyFile, '-CAcreateserial'],
      ...['-days', '10', '-out', `${base}.pem`],
    );
    return read(`${base}.pem`, `${base}.key`);
  }

  revoke({ certificateFile }: Issued): void {
    openssl('ca', '-config', this.#config, '-revoke', certificateFile);
  }

  /** What its responder says to a request in DER; signed by itself unless told. */
  answerOcsp(request: Buffer, signer: Issued = this.issued): Buffer {
    const base = join(this.folder, `ocsp-${(this.#count += 1)}`);
    writeFileSync(`${base}.req`, request);
    openssl(
      ...['ocsp', '-index', join(this.folder, 'index.txt'), '-CA', this.issued.certificateFile],
      ...['-rsigner', signer.certificateFile, '-rkey', signer.keyFile],
      ...['-reqin', `${base}.req`, '-respout', `${base}.res`, '-ndays', '1'],
    );
    return readFileSync(`${base}.res`);
  }
}

function selfSigned(folder: string, name: string): Issued {
  const [certificateFile, keyFile] = [join(folder, 'own.pem'), join(folder, 'own.key')];
  makeKey(keyFile);
  openssl(
    ...[
      'req',
      '-x509',
      '-key',
      keyFile,
      '-subj',
      `/O=Evander test/CN=${name}`,
      '-days',
      '3650',
      '-out',
      certificateFile,
    ],
    ...['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  );
  return read(certificateFile, keyFile);
}

function makeKey(file: string): void {
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file);
}

function read(certificateFile: string, keyFile: string): Issued {
  const [certificate, key] = [readFileSync(certificateFile, 'utf8'), readFileSync(keyFile, 'utf8')];
  return { certificate, key, certificateFile, keyFile };
}

/** A mobility operator with a root, a sub-CA that issues contracts, and a responder for each, asked over HTTP. */
export interface TestPki {
  root: OpensslCa;
  sub: OpensslCa;
  responder: StandIn;
  /** A contract under the sub-CA; its certificate names the responder. */
  contract(emaid: string, options?: IssueOptions): Issued;
  /** Changes how the responder answers; undefined for as it should. */
  answerWith(answer: ((request: Buffer) => Promise<{ status?: number; body?: Buffer }>) | undefined): void;
  close(): Promise<void>;
}

/** Makes the authorities in a folder that goes with `close`. */
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

/** What names a certificate to a responder, as openssl has it. */
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
  desk: { database: Database },
  { pem }: { pem: string },
  certificateType: 'V2GRootCertificate' | 'MORootCertificate' = 'MORootCertificate',
): Promise<void> {
  const { fingerprint256, subject, issuer, serialNumber, validFrom, validTo } = new X509Certificate(pem);
  await pncRoots.put(desk.database, {
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
