import { isIPv6 } from 'node:net';

/**
 * What stands for a client where clients are counted: its IPv4 address, or the /64 network of its IPv6 address, as a client with one
 * address there has all 2^64.
 */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(plain)) return plain;
  const [withoutZone = ''] = plain.split('%', 1);
  const [head = '', tail] = withoutZone.split('::');
  const left = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const right = tail === '' ? [] : tail.split(':');
    const dotted = right.at(-1)?.includes('.') ? 1 : 0;
    const zeros = Math.max(0, 8 - left.length - right.length - dotted);
    left.push(...Array<string>(zeros).fill('0'), ...right);
  }
  return left
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':');
}
