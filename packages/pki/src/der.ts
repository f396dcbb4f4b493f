/** DER tags (X.690) used in OCSP and PKCS#7; explicit ones by their number. */
export const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  explicit0: 0xa0,
  explicit1: 0xa1,
  explicit2: 0xa2,
} as const;

/** A DER structure, or a BER one that differs only in its lengths. */
export interface Der {
  tag: number;
  /** The whole structure, with tag and length. */
  raw: Buffer;
  /** The content without tag and length. */
  content: Buffer;
}

/** Parses exactly one structure. Throws if it is invalid or followed by other data. */
export function readDer(bytes: Buffer): Der {
  const [first, ...others] = readAll(bytes);
  if (!first || others.length > 0) throw new Error('the DER is not a single structure');
  return first;
}

/** Parses the structures inside a structure. Throws if they are invalid. */
export function childrenOf({ content }: Der): Der[] {
  return readAll(content);
}

/** The inner structure at an index with this tag. Throws if there is none. */
export function childAt(der: Der | undefined, index: number, tag: number): Der {
  const child = der && childrenOf(der)[index];
  if (child?.tag !== tag) throw new Error(`the DER has no ${tag.toString(16)} at ${index}`);
  return child;
}

/** The dotted form of an object identifier. */
export function oidOf({ content }: Der): string {
  const numbers: number[] = [];
  let number = 0;
  for (const byte of content) {
    number = number * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    numbers.push(number);
    number = 0;
  }
  const [head = 0, ...rest] = numbers;
  const first = Math.min(2, Math.floor(head / 40));
  return [first, head - first * 40, ...rest].join('.');
}

/** The bytes of a bit string without unused bits, as in keys and signatures. */
export function bitsOf({ content }: Der): Buffer {
  return content.subarray(1);
}

/** Parses a time; throws if it is invalid. */
export function timeOf({ tag, content }: Der): Date {
  const text = content.toString('latin1');
  const [, year, ...parts] = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text) ?? [];
  if (year === undefined) throw new Error('the DER has no time in it');
  const century = tag === TAG.utcTime ? (Number(year) < 50 ? 2000 : 1900) : 0;
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  return new Date(Date.UTC(century + Number(year), month - 1, day, hour, minute, second));
}

/** A structure that contains others. */
export function der(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const length = Buffer.from(evenHex(content.length.toString(16)), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, content]);
}

/** An instant without its fraction, which does not belong into certificates (RFC 5280 §4.1.2.5.2). */
export function generalizedTime(time: Date): Buffer {
  const digits = time.toISOString().slice(0, 19).replace(/\D/g, '');
  return der(TAG.generalizedTime, Buffer.from(`${digits}Z`));
}

/** A bit string of whole bytes. */
export function bitString(bytes: Buffer): Buffer {
  return der(TAG.bitString, Buffer.from([0]), bytes);
}

export function sequence(...contents: Buffer[]): Buffer {
  return der(TAG.sequence, ...contents);
}

/** An object identifier from its dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(TAG.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** A positive integer from its bytes in hex, of any length. */
export function integer(hex: string): Buffer {
  const bytes = Buffer.from(evenHex(hex.replace(/^0+(?=.)/, '')), 'hex');
  const isNegative = ((bytes[0] ?? 0) & 0x80) !== 0;
  return der(TAG.integer, Buffer.from(isNegative ? [0] : []), bytes);
}

function readAll(bytes: Buffer): Der[] {
  const structures: Der[] = [];
  let start = 0;
  while (start < bytes.length) {
    const { from, to, end } = extentOf(bytes, start);
    if (end > bytes.length) throw new Error('the DER is truncated');
    structures.push({
      tag: bytes[start] ?? 0,
      raw: bytes.subarray(start, end),
      content: bytes.subarray(from, to),
    });
    start = end;
  }
  return structures;
}

/** The bounds of a structure's content, and the end of the structure. */
function extentOf(bytes: Buffer, start: number): { from: number; to: number; end: number } {
  if (hasEndMark(bytes, start)) {
    const end = endMarkedFrom(bytes, start);
    return { from: start + 2, to: end - 2, end };
  }
  const { headerLength, length } = headerAt(bytes, start);
  const from = start + headerLength;
  return { from, to: from + length, end: from + length };
}

/** BER allows structures without a length that end with a mark (X.690 §8.1.3.6): Bouncy Castle writes PKCS#7 like this. */
function hasEndMark(bytes: Buffer, start: number): boolean {
  return ((bytes[start] ?? 0) & 0x20) !== 0 && bytes[start + 1] === 0x80;
}

function endMarkedFrom(bytes: Buffer, start: number): number {
  let open = 0;
  let at = start;
  do {
    if (hasEndMark(bytes, at)) {
      open += 1;
      at += 2;
    } else if (bytes[at] === 0 && bytes[at + 1] === 0) {
      open -= 1;
      at += 2;
    } else {
      const { headerLength, length } = headerAt(bytes, at);
      at += headerLength + length;
    }
  } while (open > 0);
  return at;
}

/** The length is in one byte, or in as many bytes as the first one says. */
function headerAt(bytes: Buffer, start: number): { headerLength: number; length: number } {
  const first = bytes[start + 1];
  if (first === undefined) throw new Error('the DER is truncated');
  if (first < 0x80) return { headerLength: 2, length: first };
  const count = first & 0x7f;
  if (count === 0 || count > 4 || start + 2 + count > bytes.length) throw new Error('the DER has no length');
  return { headerLength: 2 + count, length: bytes.readUIntBE(start + 2, count) };
}

function base128(number: number): number[] {
  const digits = [number & 0x7f];
  for (let left = number >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}

/** Whole bytes in hex. */
export function evenHex(hex: string): string {
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}
