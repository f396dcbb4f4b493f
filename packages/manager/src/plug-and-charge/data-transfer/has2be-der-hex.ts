const BLOCKS = /-----BEGIN [A-Z ]+-----([A-Za-z\d+/=\s]+)-----END [A-Z ]+-----/g;
const SEQUENCE = 0x30;

/** The concatenated DER of every PEM block in a text, as hex (H2B.5). */
export function hexOfPem(text: string): string {
  return [...text.matchAll(BLOCKS)]
    .map(([, base64]) => Buffer.from(base64 ?? '', 'base64').toString('hex'))
    .join('')
    .toUpperCase();
}

/** Converts a chain of certificates from hex DER to PEM, in order. Stops at the first bytes that are not DER. */
export function pemOfHex(hex: string): string {
  return splitDer(Buffer.from(hex, 'hex'))
    .map((der) => pemOf('CERTIFICATE', der))
    .join('');
}

/** A certificate request as PEM: unchanged if it is PEM already, else converted from DER, which stations send as base64 or hex. */
export function requestAsPem(text: string): string {
  const bare = text.replace(/\s/g, '');
  if (text.includes('-----') || !/^[A-Za-z\d+/]+={0,2}$/.test(bare)) return text;
  const der = Buffer.from(bare, /^30[\da-f]*$/i.test(bare) ? 'hex' : 'base64');
  return der[0] === SEQUENCE ? pemOf('CERTIFICATE REQUEST', der) : text;
}

function pemOf(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** Splits concatenated DER structures. */
function splitDer(der: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let start = 0;
  while (der[start] === SEQUENCE) {
    const end = endOf(der, start);
    if (end === undefined) break;
    parts.push(der.subarray(start, end));
    start = end;
  }
  return parts;
}

/** The end offset of a DER structure. Its length follows its tag, in one byte or in as many as the first byte states. */
function endOf(der: Buffer, start: number): number | undefined {
  const first = der[start + 1];
  if (first === undefined) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4 || start + 2 + lengthBytes > der.length) return undefined;
  const length = lengthBytes === 0 ? first : der.readUIntBE(start + 2, lengthBytes);
  const end = start + 2 + lengthBytes + length;
  return end <= der.length ? end : undefined;
}
