import { createHash, createPrivateKey, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readChain } from './certificate.ts';
import type { Certificate } from './certificate.ts';
import {
  bitsOf,
  bitString,
  childAt,
  childrenOf,
  der,
  integer,
  oid,
  readDer,
  sequence,
  TAG,
  time,
} from './der.ts';
import { algorithmOf, isSignature, keyOf, signWith } from './signature.ts';

const KEY = /-----BEGIN (?:EC |RSA )?PRIVATE KEY-----[A-Za-z\d+/=\s]+-----END (?:EC |RSA )?PRIVATE KEY-----/;
const CERTIFICATES = /-----BEGIN CERTIFICATE-----[A-Za-z\d+/=\s]+-----END CERTIFICATE-----/g;
const REQUEST = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z\d+/=\s]+)-----END/;
const [EXPLICIT_0, EXPLICIT_3, IMPLICIT_0] = [0xa0, 0xa3, 0x80];
const TRUE = Buffer.from([0x01, 0x01, 0xff]);
/** digitalSignature and keyAgreement, in the five bits that it takes. */
const LEAF_KEY_USAGE = bitString(Buffer.from([0x88]), 3);
/** The clocks of stations and EVs differ from ours. */
const EARLY_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** A request for a certificate (PKCS#10) whose signature is right: who asks has the key. */
export interface SigningRequest {
  subject: Buffer;
  /** SubjectPublicKeyInfo in DER. */
  spki: Buffer;
  key: KeyObject;
}

/** Reads a request in PEM. Throws when it is none, or is not signed with its own key. */
export function readSigningRequest(pem: string): SigningRequest {
  const [, base64] = REQUEST.exec(pem) ?? [];
  if (base64 === undefined) throw new Error('the csr is no PKCS#10 request in PEM');
  const request = readDer(Buffer.from(base64, 'base64'));
  const info = childAt(request, 0, TAG.sequence);
  const algorithm = childAt(request, 1, TAG.sequence);
  const signature = bitsOf(childAt(request, 2, TAG.bitString));
  const subject = childAt(info, 1, TAG.sequence).raw;
  const spki = childAt(info, 2, TAG.sequence).raw;
  const key = keyOf(spki);
  if (!isSignature({ algorithm, signature }, info.raw, key))
    throw new Error('the csr is not signed with its own key');
  return { subject, spki, key };
}

/** An authority that signs leaf certificates with a key of its own. */
export class CertificateAuthority {
  readonly #key: KeyObject;
  readonly #certificate: Certificate;
  readonly #chain: readonly Certificate[];

  /** From PEM: a private key, its certificate, and the sub-CAs above. Throws when they do not fit together. */
  constructor(pem: string) {
    const [key] = KEY.exec(pem) ?? [];
    if (key === undefined) throw new Error('there is no private key in PEM in it, without a passphrase');
    const chain = readChain((pem.match(CERTIFICATES) ?? []).join('\n'));
    const [certificate] = chain ?? [];
    if (!chain || !certificate) throw new Error('there is no certificate in PEM in it');
    if (!certificate.x509.ca) throw new Error('its first certificate is not one of an authority');
    this.#key = createPrivateKey(key);
    if (!certificate.x509.checkPrivateKey(this.#key))
      throw new Error('its private key is not that of its first certificate');
    this.#certificate = certificate;
    this.#chain = chain.filter((one) => !one.isSelfSigned);
  }

  /** A leaf certificate for a request, then the sub-CAs above, in PEM. It ends with the authority's own at the latest. */
  issueFromRequest({ subject, spki }: SigningRequest, { days, now }: { days: number; now: Date }): string {
    const end = new Date(Math.min(now.getTime() + days * DAY_MS, Date.parse(this.#certificate.x509.validTo)));
    const serial = randomBytes(16);
    serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
    const algorithm = algorithmOf(this.#key);
    const tbs = sequence(
      der(EXPLICIT_0, integer('02')),
      integer(serial.toString('hex')),
      algorithm,
      this.#certificate.subject,
      sequence(time(new Date(now.getTime() - EARLY_MS)), time(end)),
      subject,
      spki,
      der(EXPLICIT_3, sequence(...this.#extensions(spki))),
    );
    const { signature } = signWith(this.#key, tbs);
    const leaf = sequence(tbs, algorithm, bitString(signature));
    return [pemOf(leaf), ...this.#chain.map(({ x509 }) => x509.toString())].join('');
  }

  #extensions(spki: Buffer): Buffer[] {
    const keyBits = bitsOf(childrenOf(readDer(spki))[1] ?? readDer(spki));
    const keyId = createHash('sha1').update(keyBits).digest();
    const extension = (name: string, value: Buffer, critical: Buffer[] = []): Buffer =>
      sequence(oid(name), ...critical, der(TAG.octetString, value));
    return [
      extension('2.5.29.19', sequence(), [TRUE]),
      extension('2.5.29.15', LEAF_KEY_USAGE, [TRUE]),
      extension('2.5.29.14', der(TAG.octetString, keyId)),
      extension('2.5.29.35', sequence(der(IMPLICIT_0, this.#certificate.subjectKeyId))),
    ];
  }
}

function pemOf(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
