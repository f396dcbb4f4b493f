import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { parseProxyHeader, takeProxyHeader } from '../src/proxy-protocol.ts';
import { closeLater } from './harness.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const IPV4 = 'cb007109 c0000201 d431 245e'.replaceAll(' ', '');
const IPV6 = '20010db8000000000000000000000001 20010db8000000000000000000000002 d431 245e'.replaceAll(
  ' ',
  '',
);
const MAPPED = '00000000000000000000ffffcb007109 00000000000000000000ffffc0000201 d431 245e'.replaceAll(
  ' ',
  '',
);
/** PP2_TYPE_UNIQUE_ID, 4 bytes; PP2_TYPE_NOOP, empty. */
const TLVS = '05000401020304' + '040000';

/** A version 2 header: bytes 13 and 14, then the bytes after the length. */
function v2(command: string, family: string, rest = '', length = rest.length / 2): Buffer {
  return Buffer.from(SIGNATURE + command + family + length.toString(16).padStart(4, '0') + rest, 'hex');
}

const PROXIED = { kind: 'complete', isProxied: true };

const COMPLETE: [string, Buffer, { isProxied: boolean; address: string | undefined }][] = [
  ['version 2, TCP over IPv4', v2('21', '11', IPV4), { isProxied: true, address: '203.0.113.9' }],
  ['version 2, TCP over IPv6', v2('21', '21', IPV6), { isProxied: true, address: '2001:db8::1' }],
  ['version 2, IPv4 in IPv6', v2('21', '21', MAPPED), { isProxied: true, address: '203.0.113.9' }],
  ['version 2 with TLVs', v2('21', '11', IPV4 + TLVS), { isProxied: true, address: '203.0.113.9' }],
  ['version 2, IPv6 with TLVs', v2('21', '21', IPV6 + TLVS), { isProxied: true, address: '2001:db8::1' }],
  ['version 2, UDP', v2('21', '12', IPV4), { isProxied: true, address: '203.0.113.9' }],
  ['version 2, LOCAL', v2('20', '00'), { isProxied: false, address: undefined }],
  [
    'version 2, LOCAL with addresses and TLVs',
    v2('20', '11', IPV4 + TLVS),
    { isProxied: false, address: undefined },
  ],
  ['version 2, family unspecified', v2('21', '00'), { isProxied: true, address: undefined }],
  ['version 2, family unspecified, TLVs', v2('21', '00', TLVS), { isProxied: true, address: undefined }],
  ['version 2, a Unix socket', v2('21', '31', '00'.repeat(216)), { isProxied: true, address: undefined }],
  [
    'version 1, IPv4',
    Buffer.from('PROXY TCP4 203.0.113.9 192.0.2.1 54321 9310\r\n'),
    { isProxied: true, address: '203.0.113.9' },
  ],
  [
    'version 1, IPv6',
    Buffer.from('PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n'),
    { isProxied: true, address: '2001:db8::1' },
  ],
  ['version 1, unknown', Buffer.from('PROXY UNKNOWN\r\n'), { isProxied: true, address: undefined }],
  [
    'version 1, unknown with more',
    Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'),
    { isProxied: true, address: undefined },
  ],
];

describe('a header', () => {
  test.each(COMPLETE)('%s', (_name, bytes, expected) => {
    const whole = { ...PROXIED, ...expected, length: bytes.length };
    expect(parseProxyHeader(bytes)).toEqual(whole);
    // The bytes after it are not part of it.
    expect(parseProxyHeader(Buffer.concat([bytes, Buffer.from('GET /ws/CP1')]))).toEqual(whole);
    // Truncated anywhere, it is incomplete and never mistaken for anything else.
    for (let length = 0; length < bytes.length; length++)
      expect(parseProxyHeader(bytes.subarray(0, length))).toEqual({ kind: 'incomplete' });
  });

  test.each<[string, Buffer, string]>([
    ['version 3', v2('31', '11', IPV4), 'version 3 is unknown'],
    ['another command', v2('22', '11', IPV4), 'version 2: command 2 is unknown'],
    ['another family', v2('21', '41', IPV4), 'version 2: the address family is unknown'],
    ['another transport', v2('21', '13', IPV4), 'version 2: the address family is unknown'],
    ['IPv4 truncated', v2('21', '11', IPV4.slice(2)), 'version 2: the addresses are truncated'],
    ['IPv6 with the length of IPv4', v2('21', '21', IPV4), 'version 2: the addresses are truncated'],
    ['too long', v2('21', '11', IPV4, 65_535), 'version 2: 65535 bytes is too long'],
    [
      'version 1 without end',
      Buffer.from(`PROXY TCP4 ${'1'.repeat(120)}`),
      'version 1: the line does not end',
    ],
    [
      'version 1 with another protocol',
      Buffer.from('PROXY UDP4 203.0.113.9 192.0.2.1 1 2\r\n'),
      'version 1: no addresses',
    ],
    [
      'version 1, IPv6 declared as IPv4',
      Buffer.from('PROXY TCP4 2001:db8::1 192.0.2.1 1 2\r\n'),
      'version 1: no addresses',
    ],
    [
      'version 1 with a name',
      Buffer.from('PROXY TCP4 localhost 192.0.2.1 1 2\r\n'),
      'version 1: no addresses',
    ],
    [
      'version 1 with too high a port',
      Buffer.from('PROXY TCP4 203.0.113.9 192.0.2.1 65536 2\r\n'),
      'version 1: no ports',
    ],
    ['version 1 with one port', Buffer.from('PROXY TCP4 203.0.113.9 192.0.2.1 1\r\n'), 'version 1: no ports'],
  ])('that is invalid is reported as such: %s', (_name, bytes, reason) => {
    expect(parseProxyHeader(bytes)).toEqual({ kind: 'invalid', reason });
  });

  test.each([
    'GET /ws/CP1 HTTP/1.1\r\n',
    'POST / HTTP/1.1\r\n',
    'PRI * HTTP/2.0\r\n',
    '\x16\x03\x01\x02\x00',
    '\r\nGET / HTTP/1.1',
  ])('is not recognised in other data: %j', (text) =>
    expect(parseProxyHeader(Buffer.from(text, 'latin1'))).toEqual({ kind: 'none' }),
  );

  test('of random bytes is parsed without throwing, and is never longer than the bytes', () => {
    const almost = fc.tuple(fc.constantFrom(SIGNATURE, ''), fc.uint8Array({ maxLength: 80 }));
    fc.assert(
      fc.property(almost, ([head, rest]) => {
        const bytes = Buffer.concat([Buffer.from(head, 'hex'), rest]);
        const header = parseProxyHeader(bytes);
        if (header.kind === 'complete') expect(header.length).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});

describe('consumed from a socket', () => {
  async function pair(): Promise<{ near: Socket; far: Socket }> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const far = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [near] = (await once(server, 'connection')) as [Socket];
    closeLater({ close: () => void server.close() });
    for (const socket of [near, far]) {
      closeLater({ close: () => void socket.destroy() });
      socket.on('error', () => {});
    }
    far.setNoDelay(true);
    return { near, far };
  }

  test.each(COMPLETE)(
    'it leaves the bytes after it, however slowly they arrive: %s',
    async (_name, bytes, expected) => {
      const { near, far } = await pair();
      const taken = takeProxyHeader(near, 60_000);
      for (const byte of bytes) {
        far.write(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      far.end('the rest');
      expect(await taken).toEqual(expected);
      const chunks: Buffer[] = [];
      for await (const chunk of near) chunks.push(chunk as Buffer);
      expect(Buffer.concat(chunks).toString()).toBe('the rest');
    },
  );

  test('one that does not arrive in time is rejected', async () => {
    const { near, far } = await pair();
    far.write(v2('21', '11', IPV4).subarray(0, 20));
    await expect(takeProxyHeader(near, 100)).rejects.toThrow('no first bytes in time');
  });
});
