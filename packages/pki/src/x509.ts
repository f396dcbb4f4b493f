// The library's decorators require this import first.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { webcrypto } from 'node:crypto';

x509.cryptoProvider.set(webcrypto);

export { x509 };

/** The supported attributes of a name, the first of each type. U+FFFD replaces U+0000, which PostgreSQL cannot store. */
export type Subject = Partial<Record<'CN' | 'O' | 'OU' | 'C' | 'DC', string>>;

const ATTRIBUTES = ['CN', 'O', 'OU', 'C', 'DC'] as const;

export function subjectOf(name: x509.Name): Subject {
  const entries = ATTRIBUTES.map(
    (attribute) => [attribute, name.getField(attribute)[0]?.replaceAll('\0', '\ufffd')] as const,
  );
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** All identifiers in a name: common names, serial numbers, user ids and e-mail addresses. */
export function identifiersOf(name: x509.Name): string[] {
  return name.toJSON().flatMap((part) => IDENTIFIERS.flatMap((attribute) => part[attribute] ?? []));
}

// The library's names for commonName, serialNumber, userId, emailAddress.
const IDENTIFIERS = ['CN', '2.5.4.5', '0.9.2342.19200300.100.1.1', 'E'];

/** Normalises a serial number for comparison: lower-case hex without leading zeros. */
export function serialKey(serialNumber: string): string {
  return serialNumber.toLowerCase().replace(/^0+(?=.)/, '');
}

/** Returns the DER of a DER or single-block PEM input. */
export function derOf(text: string | Buffer): Buffer {
  if (Buffer.isBuffer(text) && text[0] === SEQUENCE) return text;
  const pem = text.toString();
  const [, base64] = /-----BEGIN [A-Z0-9 ]+-----([A-Za-z\d+/=\s]+)-----END /.exec(pem) ?? [];
  return Buffer.from(base64 ?? pem, 'base64');
}

/** The first byte of every X.509 structure in DER. */
const SEQUENCE = 0x30;

export function pemOf(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
