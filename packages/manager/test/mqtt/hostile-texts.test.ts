import { ACTIONS, DIALECTS, mayBeSentBy, SCHEMAS, TUNNEL_SCHEMAS } from '@evander/ocpp';
import type { Action, CommandAction, Schema, StationAction } from '@evander/ocpp';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { createCsr, toPem } from '../../../station/src/security/csr.ts';
import { openTestManager } from '../test-manager.ts';
import type { TestManager } from '../test-manager.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(() => void manager.faults());

type Json = Record<string, unknown>;

/** Texts that PostgreSQL cannot store, or not in an index: random, because a text that compresses well would fit. */
const TEXTS: Record<string, string> = {
  'U+0000': 'a\0b',
  'a lone high surrogate': 'a\ud800b',
  'a lone low surrogate': '\udc00',
  '10 kB': incompressible(10_000),
  '100 kB': incompressible(100_000),
  '10 kB in characters of 3 bytes': [...incompressible(3333)]
    .map((letter) => String.fromCharCode(0x4e00 + letter.charCodeAt(0)))
    .join(''),
};

function incompressible(length: number): string {
  let text = '';
  for (let i = 0; text.length < length; i++)
    text += createHash('sha512').update(String(i)).digest('base64url');
  return text.slice(0, length);
}

/** A payload with all properties of its schema, and a text at a path. */
function example(schema: Schema, at: string, text: string, path = ''): unknown {
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, inner]) => [
          name,
          example(inner, at, text, `${path}.${name}`),
        ]),
      );
    case 'array':
      return schema.items ? [example(schema.items, at, text, path)] : [];
    case 'string':
      if (path === at) return text;
      if (schema.format !== undefined)
        return schema.format === 'uri' ? 'http://127.0.0.1:1/x' : '2026-11-20T10:00:00Z';
      return schema.enum?.[0] ?? 'X';
    case 'boolean':
      return true;
    default:
      return 1;
  }
}

/** The paths of texts in a payload, except times. */
function textsOf(schema: Schema, path = ''): string[] {
  if (schema.type === 'string') return schema.format === 'date-time' ? [] : [path];
  if (schema.type === 'array') return schema.items ? textsOf(schema.items, path) : [];
  return Object.entries(schema.properties ?? {}).flatMap(([name, inner]) =>
    textsOf(inner, `${path}.${name}`),
  );
}

const actions = Object.keys(ACTIONS) as Action[];
const fromStations = actions.filter((action): action is StationAction => mayBeSentBy('station', action));
const fromUs = actions.filter((action): action is CommandAction => mayBeSentBy('manager', action));
const NEVER_REFUSED = ['StartTransaction', 'StopTransaction', 'MeterValues'];

test.each(fromStations)('%s is answered for any texts', async (action) => {
  for (const [what, text] of Object.entries(TEXTS))
    for (const at of textsOf(SCHEMAS[action].request)) {
      const request = example(SCHEMAS[action].request, at, text) as Json;
      const answer = await manager.ask(action, request);
      const where = { action, at, what };
      expect({ ...where, ...answer }).not.toMatchObject({ code: 'InternalError' });
      expect({ ...where, isAnswered: answer.response !== undefined || answer.code !== undefined }).toEqual({
        ...where,
        isAnswered: true,
      });
      if (NEVER_REFUSED.includes(action)) expect({ ...where, code: answer.code }).toEqual({ ...where });
    }
});

const tunnelled = (['oca', 'has2be'] as const).flatMap((dialect) =>
  Object.entries(DIALECTS[dialect].actions)
    .filter(([, sender]) => sender !== 'manager')
    .map(([action]) => [dialect, action] as const),
);

test.each(tunnelled)('%s %s in a DataTransfer is answered for any texts', async (dialect, action) => {
  const { request: schema } = (TUNNEL_SCHEMAS[dialect] as Record<string, { request: Schema }>)[action] ?? {};
  if (!schema) throw new Error('no schema');
  for (const [what, text] of Object.entries(TEXTS))
    for (const at of textsOf(schema)) {
      const data = JSON.stringify(example(schema, at, text));
      const request = { vendorId: DIALECTS[dialect].vendorId, messageId: action, data };
      const answer = await manager.ask('DataTransfer', request);
      expect({ at, what, ...answer }).toMatchObject({
        response: { status: expect.any(String) as unknown },
      });
    }
});

/** Sends a command to CP1 and answers it; a text as the answer makes an error of it. Returns the outcome of the command. */
async function sendAndAnswer(
  action: CommandAction,
  request: object,
  response: Json | string,
): Promise<{ status?: unknown }> {
  const commandId = await manager.callMaker.request({ stationId: 'CP1', action, request, skipRules: true });
  const call = manager.sent().find(({ id }) => id === commandId);
  if (!call) throw new Error(`${action} was not sent: the command before it blocks the queue`);
  const question = { id: commandId, action, request: call.request };
  await manager.router.route(
    'CP1',
    typeof response === 'string'
      ? {
          type: 4,
          ...question,
          error_code: response,
          error_description: response,
          error_details: { [response]: response },
        }
      : { type: 3, ...question, response },
  );
  const [row] = await manager.rows('SELECT status FROM commands WHERE command_id = $1', [commandId]);
  return row ?? {};
}

test.each(fromUs)('an answer to %s completes it for any texts', async (action) => {
  const { request: requestSchema, response: schema } = SCHEMAS[action];
  const request = example(requestSchema, '', '') as Json;
  const places = ['', '.invented', ...textsOf(schema)];
  for (const [what, text] of Object.entries(TEXTS))
    for (const at of places) {
      const { status } = await sendAndAnswer(
        action,
        request,
        at === ''
          ? text
          : { ...(example(schema, at, text) as Json), ...(at === '.invented' && { [text]: text }) },
      );
      expect({ at, what, status }).toEqual({
        at,
        what,
        status: at === '' ? 'failed' : (expect.stringMatching(/^(answered|failed)$/) as unknown),
      });
    }
  // What an answer means must have been stored too.
  expect(manager.faults()).toEqual([]);
});

const tunnelledFromUs = (['oca', 'has2be'] as const).flatMap((dialect) =>
  Object.entries(DIALECTS[dialect].actions)
    .filter(([, sender]) => sender === 'manager')
    .map(([action]) => [dialect, action] as const),
);

test.each(tunnelledFromUs)(
  'an answer to %s %s in a DataTransfer completes it for any texts',
  async (dialect, action) => {
    const schemas = (TUNNEL_SCHEMAS[dialect] as Record<string, Record<'request' | 'response', Schema>>)[
      action
    ];
    if (!schemas) throw new Error('no schema');
    const request = {
      vendorId: DIALECTS[dialect].vendorId,
      messageId: action,
      data: JSON.stringify(example(schemas.request, '', '')),
    };
    for (const [what, text] of Object.entries(TEXTS))
      for (const at of textsOf(schemas.response)) {
        const data = JSON.stringify(example(schemas.response, at, text));
        const { status } = await sendAndAnswer('DataTransfer', request, { status: 'Accepted', data });
        expect({ at, what, status }).toEqual({ at, what, status: 'answered' });
      }
    // What an answer means must have been stored too.
    expect(manager.faults()).toEqual([]);
  },
);

test('a certificate request with U+0000 in its name is rejected and stored with the reason', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const csr = toPem(
    'CERTIFICATE REQUEST',
    createCsr({ commonName: 'CP1\0', organization: 'O\0', publicKey, privateKey }),
  );
  expect(await manager.ask('SignCertificate', { csr }, { id: 'csr1' })).toEqual({
    response: { status: 'Rejected' },
  });
  expect(await manager.rows("SELECT reason FROM certificate_requests WHERE message_id = 'csr1'")).toEqual([
    { reason: expect.stringContaining('the csr names "CP1\\u0000"') as unknown },
  ]);
});

test.each(Object.entries(TEXTS))('a message id with %s is returned unchanged', async (_what, text) => {
  const id = `${randomUUID()}${text}`;
  const [answer] = await manager.envelopes('Heartbeat', {}, { id });
  expect(answer).toMatchObject({ type: 3, id });
  const start = { connectorId: 1, idTag: 'X', meterStart: 1, timestamp: '2026-11-20T10:00:00Z' };
  expect(await manager.envelopes('StartTransaction', start, { id })).toMatchObject([
    { type: 3, id },
    { type: 3, id },
  ]);
});

test('a payload nested very deeply is answered like any other', async () => {
  const levels = 100_000;
  const deep = JSON.parse(`${'{"a":['.repeat(levels)}1${']}'.repeat(levels)}`) as Json;
  expect(
    await manager.ask('BootNotification', { chargePointVendor: 'V', chargePointModel: 'M', deep }),
  ).toMatchObject({
    response: { status: 'Accepted' },
  });
  expect(await manager.ask('GetConfiguration', { configurationKey: [deep] })).toMatchObject({
    code: 'NotSupported',
  });
  const answer = { configurationKey: [{ key: 'K', readonly: false, value: 'V' }], deep };
  expect(await sendAndAnswer('GetConfiguration', {}, answer)).toEqual({ status: 'answered' });
  const inner = JSON.stringify({ idToken: { idToken: 'X' } }).replace(
    '"X"',
    '['.repeat(100_000) + ']'.repeat(100_000),
  );
  const tunnelled = { vendorId: DIALECTS.oca.vendorId, messageId: 'Authorize', data: inner };
  expect(await manager.ask('DataTransfer', tunnelled)).toMatchObject({
    response: { status: expect.any(String) as unknown },
  });
});
