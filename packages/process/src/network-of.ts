import { isIPv6 } from 'node:net';

/**
 * Identifies a client for limits: its IPv4 address, or its IPv6 /64 network, because a client in such a network can use all 2^64 addresses.
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
