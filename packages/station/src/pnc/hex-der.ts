import { toPem } from '../security/csr.ts';
import { readDer } from '../security/der.ts';

/** Converts certificates to PEM; Has2Be sends them as concatenated DER in hex. Empty if invalid. */
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
