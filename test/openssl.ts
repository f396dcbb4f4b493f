import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface KeyPair {
  certificate: string;
  key: string;
}

export interface CertificateSpec {
  /** In openssl's format: /O=Operator/CN=CP1 */
  subject: string;
  keyType?: 'rsa' | 'ec';
  /** Unset: self-signed. */
  issuer?: KeyPair;
  /** Negative for an expired certificate. */
  days?: number;
  extensions?: string[];
}

/** Certificates created by openssl, independently of Evander's code. */
export class OpenSsl {
  readonly directory: string;
  #count = 0;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(): Promise<OpenSsl> {
    return new OpenSsl(await mkdtemp(join(tmpdir(), 'evander-openssl-')));
  }

  async close(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  async run(...args: string[]): Promise<string> {
    const { stdout } = await run('openssl', args, { cwd: this.directory });
    return stdout;
  }

  /** A root certificate. */
  root(subject = '/O=Test/CN=Test Root', keyType: 'rsa' | 'ec' = 'ec'): Promise<KeyPair> {
    const extensions = ['basicConstraints=critical,CA:true', 'keyUsage=critical,keyCertSign,cRLSign'];
    return this.certificate({ subject, keyType, extensions });
  }

  async certificate(spec: CertificateSpec): Promise<KeyPair> {
    const { subject, keyType = 'ec', issuer, days = 30, extensions = [] } = spec;
    const name = `c${this.#count++}`;
    const file = (ending: string): string => join(this.directory, `${name}.${ending}`);
    const kind = keyType === 'rsa' ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    await this.run(
      'req',
      '-new',
      '-nodes',
      '-newkey',
      ...kind,
      '-keyout',
      file('key'),
      '-out',
      file('csr'),
      '-subj',
      subject,
    );
    await writeFile(file('ext'), extensions.join('\n'));
    const signing = [
      'x509',
      '-req',
      '-sha256',
      '-in',
      file('csr'),
      '-out',
      file('pem'),
      '-extfile',
      file('ext'),
    ];
    if (issuer) {
      await writeFile(file('ca'), issuer.certificate);
      await writeFile(file('cakey'), issuer.key);
      signing.push('-CA', file('ca'), '-CAkey', file('cakey'), '-set_serial', `0x${randomSerial()}`);
    } else signing.push('-signkey', file('key'), '-set_serial', `0x${randomSerial()}`);
    await this.run(...signing, '-days', String(days));
    return { certificate: await readFile(file('pem'), 'utf8'), key: await readFile(file('key'), 'utf8') };
  }
}

function randomSerial(): string {
  return `1${Math.random().toString(16).slice(2, 14)}`;
}
