import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { DIALECTS as VENDORS } from '@evander/ocpp';
import type { Dialect } from '@evander/ocpp';
import type { Issued } from '../../../manager/test/certificates/openssl-ca.ts';
import { hashDataOf, openPki } from '../../../manager/test/plug-and-charge/pnc-pki.ts';
import type { TestPki } from '../../../manager/test/plug-and-charge/pnc-pki.ts';
import { standIn } from '../../../manager/test/plug-and-charge/pnc.ts';
import type { Asked, StandIn } from '../../../manager/test/plug-and-charge/pnc.ts';
import { DIALECTS, openPncSystem } from './pnc-system.ts';
import type { PncSystem } from './pnc-system.ts';

const VERSION = 'urn:iso:15118:2:2013:MsgDef';
/** The tag, and the same contract as stations send it. */
const CONTRACT = { tag: 'DE-8AA-CA2B3C4D5-L', emaid: 'DE8AACA2B3C4D5L' };
const ENDED = 'DE8AACENDED123';

let system: PncSystem;
let stranger: TestPki;
let pool: StandIn;
let poolAnswer: (asked: Asked) => { status?: number; body?: string };
beforeAll(async () => {
  stranger = await openPki('stranger');
  pool = await standIn((asked) => poolAnswer(asked));
  const contractPool = { url: `${pool.url}/v1/ccp/signedContractData`, token: 'a token' };
  system = await openPncSystem({ contractPool });
  await system.api('PUT', `/tags/${CONTRACT.tag}`, { status: 'Accepted' });
  await system.api('PUT', `/tags/${ENDED}`, { expiryDate: '2021-01-01T00:00:00Z' });
}, 60_000);
afterEach(async () => expect(await system.closeStations()).toEqual([]));
afterAll(async () => {
  await system.close();
  await stranger.close();
  await pool.close();
});

/** What a station shows of a contract: oca the chain, has2be what names its certificates to their responders. */
function evidenceOf(dialect: Dialect, leaf: Issued, pki: TestPki) {
  if (dialect === 'oca') return { certificate: leaf.certificate + pki.sub.pem };
  const responder = (path: string) => ({ responderURL: `${pki.responder.url}/${path}` });
  const [own, sub] = [
    hashDataOf(leaf, pki.sub, responder('sub')),
    hashDataOf(pki.sub.issued, pki.root, responder('root')),
  ];
  return { iso15118CertificateHashData: [own, sub].map((data) => ({ responderURL: '', ...data })) };
}

test.each(DIALECTS)('%s: with a good contract a car charges, and the API tells by which', async (dialect) => {
  const station = await system.booted(dialect);
  const evidence = evidenceOf(dialect, system.mo.contract(CONTRACT.tag), system.mo);
  const connector = station.connector(1);
  const { answer, session } = await connector.plugAndCharge(CONTRACT.emaid, evidence);
  expect(answer).toEqual({ certificateStatus: 'Accepted', idTokenInfo: { status: 'Accepted' } });
  await session?.answered;
  const { stationId } = station;
  const ours = `/transactions?stationId=${stationId}`;
  expect(await system.items(ours)).toMatchObject([
    { state: 'open', idTag: CONTRACT.emaid, idTagStatus: 'Accepted', connectorId: 1 },
  ]);
  connector.stop();
  await session?.delivered;
  expect(await system.items(ours)).toMatchObject([{ state: 'stopped', idTag: CONTRACT.emaid }]);
  const kept = { dialect, emaid: CONTRACT.emaid, idTag: CONTRACT.tag, status: 'Accepted' };
  expect(await system.items(`/pnc-authorizations?stationId=${stationId}`)).toMatchObject([
    { ...kept, certificateStatus: 'Accepted' },
  ]);
});

interface Case {
  emaid?: string;
  leaf(): Issued;
  pki?(): TestPki;
  /** Of the contract. */
  status: string;
  /** What oca is told; has2be has the one word for all. */
  oca: string;
  /** What the API tells of has2be, where that shows other evidence. */
  has2be?: string;
}
const CASES: Record<string, Case> = {
  revoked: {
    leaf: () => {
      const leaf = system.mo.contract(CONTRACT.tag);
      system.mo.sub.revoke(leaf);
      return leaf;
    },
    status: 'Blocked',
    oca: 'CertificateRevoked',
  },
  'of an unknown CA': {
    leaf: () => stranger.contract(CONTRACT.tag),
    pki: () => stranger,
    status: 'Blocked',
    oca: 'CertChainError',
    // Where there is no chain, there is only an issuer that nobody can vouch for.
    has2be: 'NoCertificateAvailable',
  },
  'of a contract that has ended': {
    emaid: ENDED,
    leaf: () => system.mo.contract(ENDED),
    status: 'Expired',
    oca: 'ContractCancelled',
  },
};
const REFUSED = DIALECTS.flatMap((dialect) => Object.keys(CASES).map((name) => [dialect, name] as const));

test.each(REFUSED)('%s: a certificate %s starts nothing, and the API tells why', async (dialect, name) => {
  const { emaid = CONTRACT.emaid, leaf, pki = () => system.mo, status, ...words } = CASES[name] as Case;
  const station = await system.booted(dialect);
  const record = await station.connector(1).plugAndCharge(emaid, evidenceOf(dialect, leaf(), pki()));
  expect(record.answer).toMatchObject({
    certificateStatus: dialect === 'oca' ? words.oca : 'CertificateRevoked',
    idTokenInfo: { status },
  });
  expect(record.session).toBeUndefined();
  const { stationId } = station;
  expect(await system.items(`/transactions?stationId=${stationId}`)).toEqual([]);
  const certificateStatus = words[dialect] ?? words.oca;
  expect(await system.items(`/pnc-authorizations?stationId=${stationId}`)).toMatchObject([
    { dialect, emaid, status, certificateStatus, reason: expect.any(String) },
  ]);
});

// Hash data say nothing of dates: those has2be leaves to the station.
test('oca: a certificate that has expired starts nothing', async () => {
  const station = await system.booted('oca');
  const leaf = system.mo.contract(CONTRACT.tag, { end: '20210101000000Z' });
  const record = await station.connector(1).plugAndCharge(CONTRACT.emaid, evidenceOf('oca', leaf, system.mo));
  expect(record).toEqual({
    idTagStatus: 'Blocked',
    answer: { certificateStatus: 'CertificateExpired', idTokenInfo: { status: 'Blocked' } },
  });
});

const CONTRACT_DATA = JSON.stringify({
  CCPResponse: { emaidContent: [{ messageDef: { certificateInstallationRes: 'gAMA', emaid: ENDED } }] },
  xsdMsgDefNamespace: VERSION,
});

test.each(DIALECTS)('%s: an EV gets the certificate of its contract from the pool', async (dialect) => {
  const station = await system.booted(dialect);
  const ask = () =>
    station.pnc.get15118EVCertificate({ action: 'Install', exiRequest: 'gAAA', schemaVersion: VERSION });
  pool.asked.length = 0;
  poolAnswer = ({ headers, path }) =>
    headers.authorization === 'Bearer a token' && path === '/v1/ccp/signedContractData'
      ? { body: CONTRACT_DATA }
      : { status: 401 };
  expect(await ask()).toEqual({ status: 'Accepted', exiResponse: 'gAMA' });
  expect(pool.asked.map(({ body }) => JSON.parse(body.toString()) as object)).toEqual([
    { certificateInstallationReq: 'gAAA', xsdMsgDefNamespace: VERSION },
  ]);
  poolAnswer = () => ({ status: 503 });
  expect(await ask()).toEqual({ status: 'Failed', exiResponse: '' });
});

test.each(DIALECTS)(
  '%s: what cannot be read inside is Rejected outside, and does no harm',
  async (dialect) => {
    const station = await system.booted(dialect);
    const { vendorId } = VENDORS[dialect];
    const messageIds = ['Authorize', 'Get15118EVCertificate', 'GetCertificateStatus', 'SignCertificate'];
    for (const messageId of messageIds)
      for (const data of [
        '{"idToken":',
        'null',
        '[]',
        '{}',
        '{"csr":null,"idToken":{},"exiRequest":null}',
        '',
      ])
        expect({
          messageId,
          data,
          answer: await station.call('DataTransfer', { vendorId, messageId, data }),
        }).toEqual({ messageId, data, answer: { status: 'Rejected' } });
    expect(await station.call('DataTransfer', { vendorId, messageId: 'Authorize' })).toEqual({
      status: 'Rejected',
    });
    expect(await station.call('DataTransfer', { vendorId, messageId: 'Reset', data: '{}' })).toEqual({
      status: 'UnknownMessageId',
    });
    expect(await system.items(`/pnc-authorizations?stationId=${station.stationId}`)).toEqual([]);
    expect(await station.pnc.signCertificate()).toEqual({ status: 'Accepted' });
  },
);
