import fc from 'fast-check';
import { ACTIONS } from '@evander/ocpp';
import { frameBytes, handshakeLines, textBytes } from './raw-socket.ts';

const ODD_TEXTS = [
  '',
  '\0',
  '\u0001\u007f',
  '%',
  '%00',
  '%zz',
  '%ff%fe',
  '%2e%2e%2f',
  '../..',
  ' ',
  '\ud800',
  '\u202e',
  '\u{1f50c}',
  '__proto__',
  'constructor',
  '$share/x/#',
  '+',
  '#',
  '/',
  'a/b',
  "' OR 1=1 --",
  '9'.repeat(40),
  'x'.repeat(255),
  'x'.repeat(5000),
];
const oddText = fc.oneof(fc.constantFrom(...ODD_TEXTS), fc.string({ unit: 'binary', maxLength: 30 }));

type Lines = string[];
const MUTATIONS: Record<string, (lines: Lines, odd: string, at: number) => Lines> = {
  none: (lines) => lines,
  'a line missing': (lines, _odd, at) => lines.filter((_, i) => i !== at),
  'a duplicate line': (lines, _odd, at) => [...lines.slice(0, at + 1), ...lines.slice(at)],
  'an odd value': (lines, odd, at) =>
    lines.map((line, i) => (i === at ? line.replace(/:.*/, `: ${odd}`) : line)),
  'an odd line': (lines, odd, at) => [...lines.slice(0, at), odd, ...lines.slice(at)],
  'an odd header': (lines, odd) => [...lines, `X-${odd}: ${odd}`],
  'odd credentials': (lines, odd) => [
    ...lines,
    `Authorization: Basic ${Buffer.from(odd).toString('base64')}`,
  ],
  'invalid credentials': (lines, odd) => [...lines, `Authorization: ${odd}`],
  'another method': (lines, odd) => lines.map((line) => line.replace(/^GET/, odd.slice(0, 10))),
  'another target': (lines, odd) => lines.map((line) => line.replace(/ \/ws\/\S+/, ` /ws/${odd}`)),
  'another version': (lines) => lines.map((line) => line.replace('HTTP/1.1', 'HTTP/1.0')),
  'no version at all': (lines) => lines.map((line) => line.replace(' HTTP/1.1', '')),
  'another subprotocol': (lines, odd) => lines.map((line) => line.replace('ocpp1.6', `${odd},ocpp1.6`)),
  'another WebSocket version': (lines, odd) =>
    lines.map((line) => line.replace('Version: 13', `Version: ${odd}`)),
  extensions: (lines, odd) => [...lines, `Sec-WebSocket-Extensions: permessage-deflate; ${odd}`],
  'a body': (lines) => [...lines, 'Content-Length: 5'],
  chunks: (lines) => [...lines, 'Transfer-Encoding: chunked'],
  'both lengths': (lines) => [...lines, 'Content-Length: 5', 'Transfer-Encoding: chunked'],
  'headers without end': (lines) => [...lines, `X-Long: ${'y'.repeat(20_000)}`],
  'many headers': (lines) => [...lines, ...Array.from({ length: 3000 }, (_, i) => `X-${i}: 1`)],
  'a forwarded certificate': (lines, odd) => [
    ...lines,
    `X-Forwarded-Client-Cert: ${odd}`,
    `X-SSL-Client-Cert: ${odd}`,
  ],
};

/** Handshakes with one or two faults. */
export const handshakeBytes: fc.Arbitrary<Buffer> = fc
  .record({
    id: fc.nat(200),
    address: fc.ipV4(),
    kinds: fc.array(fc.constantFrom(...Object.keys(MUTATIONS)), { minLength: 1, maxLength: 2 }),
    odd: oddText,
    at: fc.nat(7),
    tail: fc.uint8Array({ maxLength: 40 }),
  })
  .map(({ id, address, kinds, odd, at, tail }) => {
    const lines = kinds.reduce(
      (so, kind) => MUTATIONS[kind]?.(so, odd, at) ?? so,
      handshakeLines(`/ws/FUZZ-${id}`, address),
    );
    return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), Buffer.from(tail)]);
  });

const json = fc.jsonValue({ maxDepth: 4 });
const deep = fc
  .constantFrom(50, 70, 5000, 100_000)
  .map((levels) => `${'['.repeat(levels)}${']'.repeat(levels)}`);
const payload = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .dictionary(
        fc.constantFrom(
          'idTag',
          'connectorId',
          'timestamp',
          'meterStart',
          'status',
          'errorCode',
          'vendorId',
          'data',
          'meterValue',
          'transactionId',
          '__proto__',
          'x\0',
        ),
        fc.oneof(json, oddText, fc.double(), fc.constant('2026-01-01T00:00:00Z')),
      )
      .map((value) => JSON.stringify(value)),
  },
  { weight: 2, arbitrary: json.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: deep },
  { weight: 1, arbitrary: deep.map((text) => `{"data":${text}}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      `{"data":"${'x'.repeat(200_000)}"}`,
      '{"idTag":"\\ud800"}',
      '{"idTag":"\\u0000"}',
      '{',
    ),
  },
);
const messageId = fc
  .oneof(oddText, fc.uuid(), fc.integer(), fc.constantFrom(null, true, [], {}))
  .map((id) => JSON.stringify(id));
const action = fc
  .oneof(fc.constantFrom(...Object.keys(ACTIONS)), oddText)
  .map((name) => JSON.stringify(name));

/** Approximately OCPP-J. */
const ocppText: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(messageId, action, payload).map(([id, name, body]) => `[2,${id},${name},${body}]`),
  },
  { weight: 3, arbitrary: fc.tuple(messageId, payload).map(([id, body]) => `[3,${id},${body}]`) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(messageId, oddText, payload)
      .map(([id, code, body]) => `[4,${id},${JSON.stringify(code)},"",${body}]`),
  },
  { weight: 2, arbitrary: json.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: oddText },
  { weight: 1, arbitrary: fc.array(json, { maxLength: 8 }).map((elements) => JSON.stringify(elements)) },
);

/** WebSocket frames that no station should send. */
const oddFrame: fc.Arbitrary<Buffer> = fc
  .record({
    opcode: fc.nat(15),
    payload: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    isFinal: fc.boolean(),
    reserved: fc.constantFrom(0, 0, 0, 1, 2, 4, 7),
    isMasked: fc.constantFrom(true, true, true, false),
    claimedLength: fc.option(
      fc.constantFrom(0n, 126n, 70_000n, 2n ** 31n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n),
      { nil: undefined, freq: 3 },
    ),
  })
  .map(({ claimedLength, ...frame }) =>
    frameBytes({ ...frame, ...(claimedLength !== undefined && { claimedLength }) }),
  );

/** Frames that a station sends after its handshake in one burst. */
export const burst: fc.Arbitrary<Buffer[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: ocppText.map(textBytes) },
    { weight: 1, arbitrary: oddFrame },
    {
      weight: 1,
      arbitrary: fc
        .uint8Array({ maxLength: 100 })
        .map((bytes) => frameBytes({ opcode: 2, payload: Buffer.from(bytes) })),
    },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ minLength: 1, maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
    },
  ),
  { minLength: 5, maxLength: 30 },
);
