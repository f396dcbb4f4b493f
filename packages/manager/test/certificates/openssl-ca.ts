import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Runs openssl and returns its output. */
export function openssl(...args: string[]): Buffer {
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
  /** End of validity in openssl's format, YYYYMMDDHHMMSSZ. */
  end?: string;
  /** URL of the OCSP responder; undefined: none. */
  ocsp?: string;
}

/** A certificate authority made with openssl, in its own folder, with the index that its OCSP responder uses. */
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

  /** Issues a key and a certificate for a common name. */
  issue(commonName: string, { kind = 'leaf', end, ocsp }: IssueOptions = {}): Issued {
    const base = join(this.folder, `${kind}-${(this.#count += 1)}`);
    const request = `${base}.csr`;
    const extensions = `${base}.ext`;
    writeFileSync(
      extensions,
      EXTENSIONS[kind] + (ocsp === undefined ? '' : `authorityInfoAccess=OCSP;URI:${ocsp}\n`),
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

  revoke({ certificateFile }: Issued): void {
    openssl('ca', '-config', this.#config, '-revoke', certificateFile);
  }

  /** An OCSP request for a certificate, in DER, without a nonce. */
  askOcsp({ certificateFile }: Issued): Buffer {
    const file = join(this.folder, `question-${(this.#count += 1)}`);
    const issuer = this.issued.certificateFile;
    openssl('ocsp', '-no_nonce', '-sha256', '-issuer', issuer, '-cert', certificateFile, '-reqout', file);
    return readFileSync(file);
  }

  /** The OCSP response to a request, both in DER; signed by the CA by default. */
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
