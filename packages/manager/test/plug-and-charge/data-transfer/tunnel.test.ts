import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { CSR } from '../../certificates/certificates.ts';
import { addTag, openTestManager } from '../../test-manager.ts';
import type { TestManager } from '../../test-manager.ts';
import { tunnel } from '../pnc.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(() => manager.rows('TRUNCATE pnc_certificate_requests, pnc_authorizations, tags'));

const HASH = {
  hashAlgorithm: 'SHA256',
  issuerNameHash: 'aa',
  issuerKeyHash: 'bb',
  serialNumber: '1',
  responderURL: 'http://192.0.2.1/',
};
const csrOf = (dialect: string) => (dialect === 'oca' ? CSR : CSR.replaceAll(/-----.*-----|\n/g, ''));

test.each(['oca', 'has2be'] as const)('%s: action names are case-insensitive', async (dialect) => {
  for (const action of ['SignCertificate', 'signcertificate', 'SIGNCERTIFICATE']) {
    expect(await tunnel(manager, { dialect, action }, { csr: csrOf(dialect) })).toEqual({
      status: 'Accepted',
      inner: { status: 'Accepted' },
    });
  }
  const vendorId = dialect === 'oca' ? 'ORG.OpenChargeAlliance.ISO15118pnc' : 'ISO15118';
  const request = { vendorId, messageId: 'SignCertificate', data: JSON.stringify({ csr: csrOf(dialect) }) };
  expect((await manager.ask('DataTransfer', request)).response).toMatchObject({ status: 'Accepted' });
  expect(await manager.rows("SELECT pnc_dialect FROM stations WHERE station_id = 'CP1'")).toEqual([
    { pnc_dialect: dialect },
  ]);
});

test.each([
  ['oca', 'CertificateSigned', '{}'],
  ['oca', 'Update15118EVCertificate', '{}'],
  ['oca', 'constructor', '{}'],
  ['oca', '', '{}'],
  ['has2be', 'ExtendedTriggerMessage', '{}'],
  ['has2be', 'Update15118EVCertificate', '{}'],
] as const)('%s: %s is not a message that stations send', async (dialect, action, data) => {
  expect(await tunnel(manager, { dialect, action }, data)).toEqual({
    status: 'UnknownMessageId',
    inner: undefined,
  });
});

test.each([
  ['oca', 'Authorize', 'no JSON'],
  ['oca', 'Authorize', ''],
  ['oca', 'Authorize', 'null'],
  ['oca', 'Authorize', '[]'],
  ['oca', 'Authorize', '{}'],
  ['oca', 'Authorize', '{"idToken":"DE8AACA2B3C4D5"}'],
  ['oca', 'Authorize', '{"idToken":{}}'],
  ['oca', 'SignCertificate', '{"csr":null}'],
  ['oca', 'GetCertificateStatus', '{"ocspRequestData":[]}'],
  ['oca', 'Get15118EVCertificate', '{"action":"Install"}'],
  ['has2be', 'Authorize', '{"idToken":{"idToken":"DE8AACA2B3C4D5","type":"eMAID"}}'],
  ['has2be', 'Authorize', '{"idToken":{"idToken":"D","type":"eMAID"},"15118CertificateHashData":[]}'],
  ['has2be', 'SignCertificate', '"x"'],
] as const)('%s: %s with %s is Rejected, never an error', async (dialect, action, data) => {
  expect(await tunnel(manager, { dialect, action }, data)).toEqual({ status: 'Rejected', inner: undefined });
});

test.each([
  [{ certificate: ['not text'] }],
  [{ iso15118CertificateHashData: [{ ...HASH, serialNumber: undefined }] }],
  [{ iso15118CertificateHashData: [HASH, 'x'] }],
  [{ iso15118CertificateHashData: 'x' }],
])('unreadable evidence blocks the contract: %j', async (evidence) => {
  await addTag(manager, 'DE8AACA2B3C4D5');
  const request = { idToken: { idToken: 'DE8AACA2B3C4D5' }, ...evidence };
  // An array in place of text may be coerced to the text of the array, which is not a certificate either.
  const { status, inner } = await tunnel(manager, { dialect: 'oca', action: 'Authorize' }, request);
  if (status === 'Accepted') expect(inner).not.toMatchObject({ idTokenInfo: { status: 'Accepted' } });
  else expect(status).toBe('Rejected');
});

test('missing data means an empty message, and data may be an object', async () => {
  const vendorId = 'iso15118';
  const ask = (request: object) => manager.ask('DataTransfer', { vendorId, ...request });
  expect((await ask({ messageId: 'SignCertificate' })).response).toEqual({ status: 'Rejected' });
  expect((await ask({ messageId: 'SignCertificate', data: { csr: CSR } })).response).toMatchObject({
    status: 'Accepted',
  });
});

test('without evidence to check, the tag decides Authorize, for all forms of the eMAID', async () => {
  await addTag(manager, 'DE-8AA-CA2B3C4D5-L', { expiry_date: '2099-01-01T00:00:00Z' });
  for (const emaid of ['DE-8AA-CA2B3C4D5-L', 'de8aaca2b3c4d5l', 'DE8AACA2B3C4D5', 'DE-8AA-CA2B3C4D5']) {
    const request = { idToken: { idToken: emaid, type: 'eMAID' } };
    expect(await tunnel(manager, { dialect: 'oca', action: 'Authorize' }, request)).toEqual({
      status: 'Accepted',
      inner: { idTokenInfo: { status: 'Accepted', cacheExpiryDateTime: '2099-01-01T00:00:00.000Z' } },
    });
  }
  const other = { idToken: { idToken: 'DE8AACA2B3C4D6' } };
  expect((await tunnel(manager, { dialect: 'oca', action: 'Authorize' }, other)).inner).toEqual({
    idTokenInfo: { status: 'Invalid' },
  });
  expect(
    await manager.rows(
      'SELECT emaid, emaid_key, id_tag, status, reason FROM pnc_authorizations ORDER BY received_at',
    ),
  ).toMatchObject([
    { emaid: 'DE-8AA-CA2B3C4D5-L', emaid_key: 'de8aaca2b3c4d5', id_tag: 'DE-8AA-CA2B3C4D5-L', reason: null },
    { emaid: 'de8aaca2b3c4d5l' },
    {},
    {},
    { status: 'Invalid', id_tag: null, reason: 'no tag has this eMAID' },
  ]);
});

test('StartTransaction with any form of an eMAID finds its tag; other tags match exactly', async () => {
  await addTag(manager, 'DE8AACA2B3C4D5', { parent_id_tag: 'FLEET' });
  await addTag(manager, 'EVANDERTAG0001');
  const start = async (idTag: string, second: number) => {
    const timestamp = `2026-11-20T10:00:0${second}Z`;
    const { response } = await manager.ask('StartTransaction', {
      connectorId: 1,
      idTag,
      meterStart: 0,
      timestamp,
    });
    return (response as { idTagInfo: object }).idTagInfo;
  };
  expect(await start('DE-8AA-CA2B3C4D5-L', 1)).toEqual({ status: 'Accepted', parentIdTag: 'FLEET' });
  expect(await start('de8aaca2b3c4d5', 2)).toEqual({ status: 'Accepted', parentIdTag: 'FLEET' });
  expect(await start('EVANDERTAG00012', 3)).toEqual({ status: 'Invalid' });
});

test('a limit of concurrent transactions applies to all forms of an eMAID together', async () => {
  await addTag(manager, 'DE8AACA2B3C4D5', { concurrent_transaction_limit: 1 });
  const start = async (idTag: string, connectorId: number) => {
    const request = { connectorId, idTag, meterStart: 0, timestamp: '2026-11-21T10:00:00Z' };
    const { response } = await manager.ask('StartTransaction', request);
    return (response as { idTagInfo: object }).idTagInfo;
  };
  expect(await start('DE-8AA-CA2B3C4D5', 2)).toEqual({ status: 'Accepted' });
  expect(await start('DE-8AA-CA2B3C4D5-L', 3)).toEqual({ status: 'ConcurrentTx' });
});

test('has2be: a blocked contract is reported as a revoked certificate', async () => {
  await addTag(manager, 'DE8AACA2B3C4D5', { status: 'Blocked' });
  const { inner } = await tunnel(
    manager,
    { dialect: 'has2be', action: 'Authorize' },
    {
      idToken: { idToken: 'DE8AACA2B3C4D5', type: 'eMAID' },
      '15118CertificateHashData': [HASH],
    },
  );
  expect(inner).toEqual({ certificateStatus: 'CertificateRevoked', idTokenInfo: { status: 'Blocked' } });
});
