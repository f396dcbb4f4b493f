import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openTestManager } from '../../test-manager.ts';
import type { TestManager } from '../../test-manager.ts';
import { standIn, tunnel } from '../pnc.ts';
import type { Asked, StandIn } from '../pnc.ts';

const VERSION = 'urn:iso:15118:2:2013:MsgDef';
const FAILED = { status: 'Accepted', inner: { status: 'Failed', exiResponse: '' } };

type Answer = { status?: number; body?: string };
let pool: StandIn;
let tokens: StandIn;
let answers: (asked: Asked) => Promise<Answer> | Answer;
let tokenAnswer: Answer;
const managers: Record<'open' | 'fixed' | 'credentials' | 'none', TestManager> = {} as never;

beforeAll(async () => {
  pool = await standIn((asked) => answers(asked));
  tokens = await standIn(() => tokenAnswer);
  const url = `${pool.url}/v1/ccp/signedContractData`;
  const tokenUrl = `${tokens.url}/oauth/token`;
  const credentials = { tokenUrl, clientId: 'evander', clientSecret: 'a secret', audience: 'pool' };
  managers.open = await openTestManager({ pnc: { contractPool: { url } } });
  managers.fixed = await openTestManager({ pnc: { contractPool: { url, token: 'fixed' } } });
  managers.credentials = await openTestManager({ pnc: { contractPool: { url, credentials } } });
  managers.none = await openTestManager();
});
afterAll(async () => {
  for (const manager of Object.values(managers)) await manager.close();
  await pool.close();
  await tokens.close();
});
beforeEach(() => {
  pool.asked.length = 0;
  tokens.asked.length = 0;
  answers = () => ({ body: contract('gAMA') });
  tokenAnswer = { body: JSON.stringify({ access_token: 't1', expires_in: 3600, token_type: 'Bearer' }) };
});

function contract(exi: unknown): string {
  const messageDef = { certificateInstallationRes: exi, emaid: 'DE8AACA2B3C4D5' };
  return JSON.stringify({ CCPResponse: { emaidContent: [{ messageDef }] }, xsdMsgDefNamespace: VERSION });
}

const ask = (manager: TestManager) =>
  tunnel(
    manager,
    { dialect: 'oca', action: 'Get15118EVCertificate' },
    { iso15118SchemaVersion: VERSION, action: 'Install', exiRequest: 'gAAA' },
  );

test('Get15118EVCertificate returns the answer of the pool', async () => {
  expect(await ask(managers.open)).toEqual({
    status: 'Accepted',
    inner: { status: 'Accepted', exiResponse: 'gAMA' },
  });
  expect(pool.asked).toHaveLength(1);
  const [{ path, headers, body } = {} as Asked] = pool.asked;
  expect(path).toBe('/v1/ccp/signedContractData');
  expect(headers).toMatchObject({ 'content-type': 'application/json' });
  expect(headers).not.toHaveProperty('authorization');
  expect(JSON.parse(body.toString())).toEqual({
    certificateInstallationReq: 'gAAA',
    xsdMsgDefNamespace: VERSION,
  });
});

test('it works in the has2be dialect too, with an optional schema version', async () => {
  const question = { dialect: 'has2be', action: 'Get15118EVCertificate' } as const;
  expect(await tunnel(managers.open, question, { exiRequest: 'gAAA' })).toMatchObject({
    inner: { status: 'Accepted', exiResponse: 'gAMA' },
  });
  await tunnel(managers.open, question, { exiRequest: 'gAAA', '15118SchemaVersion': 'urn:other' });
  expect(pool.asked.map(({ body }) => JSON.parse(body.toString()) as object)).toMatchObject([
    { xsdMsgDefNamespace: VERSION },
    { xsdMsgDefNamespace: 'urn:other' },
  ]);
});

test('a static token is sent', async () => {
  await ask(managers.fixed);
  expect(pool.asked[0]?.headers.authorization).toBe('Bearer fixed');
});

test('a token is obtained with client credentials, once for its lifetime, and again when it is refused', async () => {
  await ask(managers.credentials);
  await ask(managers.credentials);
  expect(tokens.asked).toHaveLength(1);
  expect(Object.fromEntries(new URLSearchParams(tokens.asked[0]?.body.toString()))).toEqual({
    grant_type: 'client_credentials',
    client_id: 'evander',
    client_secret: 'a secret',
    audience: 'pool',
  });
  answers = ({ headers }) =>
    headers.authorization === 'Bearer t2' ? { body: contract('gAMB') } : { status: 401 };
  tokenAnswer = { body: JSON.stringify({ access_token: 't2' }) };
  expect(await ask(managers.credentials)).toMatchObject({ inner: { exiResponse: 'gAMB' } });
  expect(pool.asked.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer t1',
    'Bearer t1',
    'Bearer t1',
    'Bearer t2',
  ]);
  // An expired token is renewed.
  managers.credentials.setNow(new Date(Date.now() + 400_000));
  tokenAnswer = { status: 403 };
  expect(await ask(managers.credentials)).toEqual(FAILED);
  managers.credentials.setNow(undefined);
});

test.each([
  ['an error', { status: 500 }],
  ['no contract for the EV', { body: JSON.stringify({ CCPResponse: { emaidContent: [] } }) }],
  ['an empty contract', { body: contract('') }],
  ['a contract of another type', { body: contract(7) }],
  ['no JSON', { body: '<html>' }],
  ['null', { body: 'null' }],
  ['more than an answer may hold', { body: contract('A'.repeat(5601)) }],
  ['endless noise', { body: 'A'.repeat(400_000) }],
])('the station gets status Failed when the pool answers with %s', async (_name, answer) => {
  answers = () => answer;
  expect(await ask(managers.open)).toEqual(FAILED);
});

test('without a pool it fails', async () => {
  expect(await ask(managers.none)).toEqual(FAILED);
});

test('a pool that does not answer in time results in Failed while the EV still waits', async () => {
  answers = () => new Promise(() => {});
  const startedMs = performance.now();
  expect(await ask(managers.open)).toEqual(FAILED);
  expect(performance.now() - startedMs).toBeLessThan(4000);
});
