import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NEW_KEY = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'.split(' ');

type Issued = { cert: string; key: string };

/** A certificate authority of the openssl command: its files live until `close()`. */
export class OpenSsl {
  readonly #directory = mkdtempSync(join(tmpdir(), 'station-'));
  #files = 0;

  /** A root, or one that its parent has signed. */
  root(commonName: string, parent?: Issued): Issued {
    if (parent) return this.issue(parent, commonName, { extensions: 'basicConstraints=critical,CA:TRUE' });
    const key = this.#path();
    const subject = ['-subj', `/CN=${commonName}`];
    const cert = this.#openssl('req', '-x509', ...NEW_KEY, '-days', '30', ...subject, '-keyout', key);
    return { cert, key: readFileSync(key, 'utf8') };
  }

  /** A certificate with a new key. */
  issue(ca: Issued, commonName: string, { days = 30, extensions = '' } = {}): Issued {
    const key = this.#path();
    const csr = this.#openssl('req', '-new', ...NEW_KEY, '-subj', `/CN=${commonName}`, '-keyout', key);
    return { cert: this.sign(ca, csr, { days, extensions }), key: readFileSync(key, 'utf8') };
  }

  /** For localhost. */
  server(ca: Issued): Issued {
    return this.issue(ca, 'localhost', { extensions: 'subjectAltName=DNS:localhost' });
  }

  /** A certificate for a CSR; so many days long, or in the past where they are negative. */
  sign(ca: Issued, csr: string, { days = 30, extensions = '' } = {}): string {
    const files = { in: csr, CA: ca.cert, CAkey: ca.key, extfile: extensions };
    const args = Object.entries(files).flatMap(([name, text]) => [`-${name}`, this.#file(text)]);
    return this.#openssl('x509', '-req', ...args, '-CAcreateserial', '-days', String(days));
  }

  /** What openssl says of a CSR whose signature is good; throws where it is not. */
  describeCsr(csr: string): string {
    return this.#openssl('req', '-in', this.#file(csr), '-noout', '-verify', '-subject');
  }

  async close(): Promise<void> {
    rmSync(this.#directory, { recursive: true });
  }

  #path(): string {
    return join(this.#directory, String(this.#files++));
  }

  #file(text: string): string {
    const path = this.#path();
    writeFileSync(path, text);
    return path;
  }

  #openssl(...args: string[]): string {
    return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }
}
