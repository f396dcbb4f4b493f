// Long: measures how long long texts take.
// Slow: measures the time that long texts take.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeEnvelope, decodePresence, readTopic, topicsUnder } from '../packages/broker/src/index.ts';
import { ofForwardedHeader } from '../packages/gateway/src/client-certificate.ts';
import { readTarget } from '../packages/gateway/src/identity.ts';
import { parseProxyHeader } from '../packages/gateway/src/proxy-protocol.ts';
import { isStationId } from '../packages/manager/src/http/fields.ts';
import { emaidForms, emaidKey } from '../packages/manager/src/authorization/emaid.ts';
import { fileNameOf, nameInUrl } from '../packages/manager/src/files/file-name.ts';
import { namesTag, selectRange } from '../packages/manager/src/files/range.ts';
import { isSameValue } from '../packages/manager/src/configuration/configuration-keys.ts';
import {
  hexOfPem,
  pemOfHex,
  requestAsPem,
} from '../packages/manager/src/plug-and-charge/data-transfer/has2be-der-hex.ts';
import { openRequest } from '../packages/manager/src/plug-and-charge/data-transfer/codec.ts';
import { isSigningRequest, readCertificates } from '../packages/manager/src/certificates/pem.ts';
import { registerReadings } from '../packages/manager/src/transactions/register-readings.ts';
import { isAuthorizationKeyText } from '../packages/manager/src/stations/station-password.ts';
import { storable } from '../packages/manager/src/database/storable.ts';
import { serialKey } from '../packages/pki/src/index.ts';
import {
  ACTIONS,
  dialectOf,
  formatFrame,
  isDateTime,
  parseDateTime,
  parseFrame,
  readPayload,
  SCHEMAS,
  tunnelAction,
} from '../packages/ocpp/src/index.ts';
import type { Action, Schema } from '../packages/ocpp/src/index.ts';
import { ocspRequest, readChain, readSigningRequest } from '../packages/pki/src/index.ts';
import { derOf } from '../packages/pki/src/x509.ts';
import { hideSecretText, Redaction, withoutToken } from '../packages/process/src/index.ts';

const redaction = new Redaction(['*']);
const half = (text: string): string => text.slice(0, text.length / 2);

/** All functions that parse text from stations or API clients. */
const READERS: [string, (text: string) => unknown][] = [
  ['parseFrame', (text) => parseFrame(text)],
  ['parseFrame of an id', (text) => parseFrame(JSON.stringify([2, text, 'Heartbeat', {}]))],
  ['parseFrame of a payload', (text) => parseFrame(JSON.stringify([2, '1', text, { [text]: text }]))],
  ['formatFrame', (text) => formatFrame({ type: 4, id: '1', code: text, description: text, details: {} })],
  ['parseDateTime', (text) => parseDateTime(text)],
  ['isDateTime', (text) => isDateTime(text)],
  ...(Object.keys(ACTIONS) as Action[]).flatMap(
    (action) =>
      [
        [
          `readPayload of ${action}`,
          (text: string) => readPayload(action, 'request', filled(SCHEMAS[action].request, text)),
        ],
        [
          `readPayload of the answer to ${action}`,
          (text: string) => readPayload(action, 'response', filled(SCHEMAS[action].response, text)),
        ],
      ] satisfies [string, (text: string) => unknown][],
  ),
  [
    'readPayload of text for all',
    (text) => readPayload('MeterValues', 'request', { connectorId: text, transactionId: text }),
  ],
  ['dialectOf', (text) => dialectOf(text)],
  ['tunnelAction', (text) => tunnelAction('oca', text)],
  ['openRequest of a tunnel', (text) => openRequest({ dialect: 'oca', action: 'Authorize' }, text)],
  [
    'openRequest of a tunnelled text',
    (text) => openRequest({ dialect: 'has2be', action: 'SignCertificate' }, JSON.stringify({ csr: text })),
  ],

  ['hideSecretText', hideSecretText],
  ['withoutToken', withoutToken],
  ['redaction of a URL', (text) => redaction.request('UpdateFirmware', { location: text })],
  [
    'redaction of a URL in a log request',
    (text) => redaction.request('GetLog', { log: { remoteLocation: text } }),
  ],
  [
    'redaction of an echoed password',
    (text) =>
      redaction.answer('UpdateFirmware', { echo: text, [text]: 1 }, { location: `ftp://u:${half(text)}@h/` }),
  ],
  [
    'redaction of an echoed key',
    (text) =>
      redaction.answer('ChangeConfiguration', { echo: text }, { key: 'AuthorizationKey', value: half(text) }),
  ],
  [
    'redaction of echoed data',
    (text) => redaction.text('DataTransfer', text, { vendorId: 'V', data: `!${half(text)}` }),
  ],
  [
    'redaction of many secrets',
    (text) => {
      const values = text.match(/.{8}/gsu) ?? [];
      const configurationKey = values.map((value) => ({ key: 'AuthorizationKey', value }));
      return redaction.answer('GetConfiguration', { echo: text }, { configurationKey });
    },
  ],

  ['decodeEnvelope', (text) => decodeEnvelope(text)],
  ['decodePresence', (text) => decodePresence(text)],
  ['readTopic', (text) => readTopic('cs', `cs/in/ocpp1.6/${text}`)],
  ['a topic', (text) => topicsUnder('cs').in('ocpp1.6', text)],
  ['storable', (text) => storable({ [text]: [text] })],

  ['readTarget', (text) => readTarget(`/ws/${text}`)],
  ...(['client-cert', 'x-forwarded-client-cert', 'x-ssl-client-cert'] as const).map(
    (header): [string, (text: string) => unknown] => [
      `a client certificate in ${header}`,
      (text) => ofForwardedHeader({ [header]: text }, header),
    ],
  ),

  ['a PROXY protocol header', (text) => parseProxyHeader(Buffer.from(`PROXY ${text}`))],

  ['readCertificates', (text) => readCertificates(text)],
  ['isSigningRequest', (text) => isSigningRequest(text)],
  ['readChain', (text) => readChain(text)],
  ['readSigningRequest', (text) => readSigningRequest(text)],
  ['derOf', (text) => derOf(text)],
  ['hexOfPem', (text) => hexOfPem(text)],
  ['pemOfHex', (text) => pemOfHex(Buffer.from(text).toString('hex'))],
  ['requestAsPem', (text) => requestAsPem(text)],
  [
    'ocspRequest',
    (text) =>
      ocspRequest(
        { hashAlgorithm: 'SHA256', issuerNameHash: text, issuerKeyHash: text, serialNumber: text },
        Buffer.alloc(16),
      ),
  ],
  ['serialKey', serialKey],

  ['emaidKey', emaidKey],
  ['emaidForms', emaidForms],
  ['isAuthorizationKeyText', isAuthorizationKeyText],
  ...['MeterValueSampleInterval', 'MeterValuesSampledData', 'AuthorizeRemoteTxRequests'].map(
    (key): [string, (text: string) => unknown] => [
      `isSameValue of ${key}`,
      (text) => isSameValue(key, text, text),
    ],
  ),
  ['registerReadings', (text) => registerReadings([sample(text)])],
  ['fileNameOf', (text) => fileNameOf(text, 'x')],
  ['nameInUrl', nameInUrl],
  ['selectRange', (text) => selectRange(text, 1000)],
  ['namesTag', (text) => namesTag(text, '"x"')],
  ['isStationId', isStationId],
];

function sample(value: string): Parameters<typeof registerReadings>[0][number] {
  const about = {
    stationId: 'S',
    connectorId: 1,
    transactionId: 1,
    transactionInferred: false,
    measuredAt: new Date(0),
    receivedAt: new Date(0),
  };
  const kind = { context: '', measurand: 'Energy.Active.Import.Register', phase: null, location: 'Outlet' };
  return { ...about, ...kind, format: 'Raw', unit: 'Wh', value };
}

/** A payload in which every text and every number is this text. */
function filled(schema: Schema, text: string): unknown {
  if (schema.type === 'array') return schema.items ? [filled(schema.items, text)] : [];
  if (schema.type !== 'object') return text;
  const properties = Object.entries(schema.properties ?? {});
  return Object.fromEntries(properties.map(([name, inner]) => [name, filled(inner, text)]));
}

interface Bait {
  before: string;
  unit: string;
  after: string;
}

const PARTS = [
  ...'a0:/@.%-+=,;_?#&"\'\\{[]}( \t\nT*~',
  '\0',
  '\u00e9',
  '\ud800',
  '\u{1f600}',
  '%2',
  '%41',
  '\\u0000',
  '\\/',
  '://',
  'ftp://a:',
  ':b@',
  '":"',
  '{"a":',
  '[{"',
  '0.',
  'e1',
  '00Z',
  'Cert="',
  'AuthorizationKey',
  '-----',
  '-----BEGIN CERTIFICATE-----',
  '-----END CERTIFICATE-----',
  '-----BEGIN CERTIFICATE REQUEST-----',
  '0\u0080',
  '3082',
];
const BEFORE = ['', '2026-01-01T00:00:00.', 'ftp://u:', 'http:', '{"', '1', '-----BEGIN CERTIFICATE-----\n'];

const baits = fc.record({
  before: fc.constantFrom(...BEFORE),
  unit: fc.array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('')),
  after: fc.constantFrom('', '!', '@', '"'),
});
/** Texts that once blocked a manager: the first for 9 s, the second for 23 s. */
const KNOWN: [Bait][] = [
  [{ before: 'a://', unit: ':', after: '' }],
  [{ before: 'aaaaaaaaaaaaaaaaaaaa://', unit: ':', after: '' }],
  [{ before: '', unit: 'a', after: '://::::' }],
];

/** In UTF-16 units, each 16 times the previous one, so that a cubic expression is found before it takes hours. */
const LENGTHS = [60, 1_000, 16_000, 256_000];
// A text that is 16 times as long takes 16 times as long in linear time and 256 times in quadratic time. Shorter durations than this (ms)
// prove nothing.
const TIMES_SLOWER = 64;
const TOO_FAST_TO_TELL_MS = 40;
const ATTEMPTS = 5;

function milliseconds(read: (text: string) => unknown, text: string): number {
  const startedMs = performance.now();
  try {
    read(text);
  } catch (error) {
    // Most baits are rejected. A stack overflow or a too large expression is not a rejection.
    if (error instanceof RangeError || error instanceof SyntaxError) throw error;
  }
  return performance.now() - startedMs;
}

function isLinear(read: (text: string) => unknown, bait: Bait): boolean {
  return LENGTHS.slice(1).every((length, i) => isLinearFrom(read, bait, { short: LENGTHS[i] ?? 0, length }));
}

/** The machine may be busy: the best of several attempts counts. */
function isLinearFrom(
  read: (text: string) => unknown,
  { before, unit, after }: Bait,
  { short, length }: { short: number; length: number },
): boolean {
  const make = (size: number): string => before + unit.repeat(Math.ceil(size / unit.length)) + after;
  const texts = [make(short), make(length)] as const;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const shortMs = milliseconds(read, texts[0]);
    if (milliseconds(read, texts[1]) <= TIMES_SLOWER * shortMs + TOO_FAST_TO_TELL_MS) return true;
  }
  return false;
}

test.each(READERS)(
  '%s takes time proportional to its text',
  (_name, read) => {
    milliseconds(read, 'warm up');
    fc.assert(
      fc.property(baits, (bait) => isLinear(read, bait)),
      { examples: KNOWN, numRuns: 30, endOnFailure: true },
    );
  },
  120_000,
);

test('quadratic and cubic expressions are found', () => {
  // eslint-disable-next-line regexp/no-super-linear-backtracking
  const quadratic = /^([a-z][a-z\d+.-]*:\/\/[^/?#@]*?):[^/?#]*@/i;
  expect(isLinear((text) => quadratic.test(text), { before: 'a://', unit: ':', after: '' })).toBe(false);
  // eslint-disable-next-line regexp/no-super-linear-backtracking, regexp/no-super-linear-move
  const cubic = /([a-z][a-z\d+.-]*:\/\/[^/?#@\s"]*?):[^/?#\s"]*@/gi;
  const replace = (text: string): string => text.replace(cubic, '');
  expect(
    isLinear((text) => replace(half(text) + '://' + ':'.repeat(text.length)), {
      before: '',
      unit: 'a',
      after: '',
    }),
  ).toBe(false);
});
