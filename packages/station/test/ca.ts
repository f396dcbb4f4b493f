import {
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  X509Certificate,
  type KeyObject,
  type KeyPairKeyObjectResult,
} from 'node:crypto';
import { toPem } from '../src/security/csr.ts';
import {
  BIT_STRING,
  CONTEXT_0,
  der,
  INTEGER,
  objectId,
  readDer,
  SEQUENCE,
  SET,
  UTF8_STRING,
} from '../src/security/der.ts';

const COMMON_NAME = '2.5.4.3';
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const UTC_TIME = 0x17;

type Request = { subject: Buffer; publicKey: KeyObject; isSigned: boolean };

/** A certificate authority for tests: it signs what it is given. */
export class Ca {
  readonly pem: string;
  readonly #name: Buffer;
  readonly #keys: KeyPairKeyObjectResult;
  #serial = 1;

  /** A root, or signed by its parent. */
  constructor(
    commonName: string,
    parent?: Ca,
    keys: KeyPairKeyObjectResult = generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ) {
    this.#keys = keys;
    this.#name = nameOf(commonName);
    this.pem = (parent ?? this).issue(this.#name, this.#keys.publicKey);
  }

  /** A certificate for the key of a CSR. */
  sign(csr: string): string {
    const { subject, publicKey } = readCsr(csr);
    return this.issue(subject, publicKey);
  }

  /** A certificate with this name and key, valid from 2020 to 2049 unless it expires sooner. */
  issue(subject: Buffer, publicKey: KeyObject, validTo = '491231235959Z'): string {
    const algorithm = der(SEQUENCE, objectId(ECDSA_WITH_SHA256));
    const time = (text: string) => der(UTC_TIME, Buffer.from(text));
    const body = der(
      SEQUENCE,
      der(CONTEXT_0, der(INTEGER, Buffer.from([2]))),
      der(INTEGER, Buffer.from([this.#serial++])),
      algorithm,
      this.#name,
      der(SEQUENCE, time('200101000000Z'), time(validTo)),
      subject,
      publicKey.export({ type: 'spki', format: 'der' }),
    );
    const signature = der(BIT_STRING, Buffer.from([0]), sign('sha256', body, this.#keys.privateKey));
    return toPem('CERTIFICATE', der(SEQUENCE, body, algorithm, signature));
  }

  /** One that is past its end. */
  get expired(): string {
    return this.issue(nameOf('past'), this.#keys.publicKey, '210101000000Z');
  }
}

/** What a CSR in PEM says. */
export function readCsr(csr: string): Request {
  const base64 = csr.replace(/-----[^-]+-----|\s/g, '');
  const [info, , signature] = readDer(readDer(Buffer.from(base64, 'base64'))[0]?.content ?? Buffer.alloc(0));
  const [, subject, key] = readDer(info?.content ?? Buffer.alloc(0));
  if (!info || !signature || !subject || !key) throw new Error('this is no CSR');
  const publicKey = createPublicKey({ key: key.bytes, format: 'der', type: 'spki' });
  const isSigned = verify('sha256', info.bytes, publicKey, signature.content.subarray(1));
  return { subject: subject.bytes, publicKey, isSigned };
}

/** A certificate's subject as text. */
export function subjectOf(pem: string): string {
  return new X509Certificate(pem).subject;
}

function nameOf(commonName: string): Buffer {
  const value = der(UTF8_STRING, Buffer.from(commonName));
  return der(SEQUENCE, der(SET, der(SEQUENCE, objectId(COMMON_NAME), value)));
}
