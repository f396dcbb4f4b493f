import { toPem } from '../security/csr.ts';
import { readDer } from '../security/der.ts';

/** Certificates as PEM, which Has2Be sends as DER in hex, one after the other; empty where it is none. */
export function pemOf(text: string): string {
  if (text.includes('-----BEGIN')) return text;
  if (!/^([0-9a-f]{2})+$/i.test(text)) return '';
  try {
    return readDer(Buffer.from(text, 'hex'))
      .map(({ bytes }) => toPem('CERTIFICATE', bytes))
      .join('');
  } catch {
    return '';
  }
}
