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

/** What a station sends about a contract: the chain with oca, the hash data and responders of its certificates with has2be. */
function evidenceOf(dialect: Dialect, leaf: Issued, pki: TestPki) {
  if (dialect === 'oca') return { certificate: leaf.certificate + pki.sub.pem };
  const responder = (path: string) => ({ responderURL: `${pki.responder.url}/${path}` });
  const [own, sub] = [
    hashDataOf(leaf, pki.sub, responder('sub')),
    hashDataOf(pki.sub.issued, pki.root, responder('root')),
  ];
  return { iso15118CertificateHashData: [own, sub].map((data) => ({ responderURL: '', ...data })) };
}

test.each(DIALECTS)(
  '%s: a car with a valid contract charges, and the API shows the contract',
  async (dialect) => {
    const station = await system.booted(dialect);
    const evidence = evidenceOf(dialect, system.mo.contract(CONTRACT.tag), system.mo);
    const connector = station.connector(1);
    const { answer, session } = await connector.plugAndCharge(CONTRACT.emaid, evidence);
    expect(answer).toEqual({ certificateStatus: 'Accepted', idTokenInfo: { status: 'Accepted' } });
    await session?.answered;
    const { stationId } = station;
    const path = `/transactions?stationId=${stationId}`;
    expect(await system.items(path)).toMatchObject([
      { state: 'open', idTag: CONTRACT.emaid, idTagStatus: 'Accepted', connectorId: 1 },
    ]);
    connector.stop();
    await session?.delivered;
    expect(await system.items(path)).toMatchObject([{ state: 'stopped', idTag: CONTRACT.emaid }]);
    const stored = { dialect, emaid: CONTRACT.emaid, idTag: CONTRACT.tag, status: 'Accepted' };
    expect(await system.items(`/pnc-authorizations?stationId=${stationId}`)).toMatchObject([
      { ...stored, certificateStatus: 'Accepted' },
    ]);
  },
);

interface Case {
  emaid?: string;
  leaf(): Issued;
  pki?(): TestPki;
  /** The contract's status. */
  status: string;
  /** The certificate status for oca; has2be has one value for all of these. */
  oca: string;
  /** The certificate status in the API for has2be, if its evidence differs. */
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
    // Without a chain there is only an issuer that cannot be verified.
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

test.each(REFUSED)('%s: a certificate %s starts nothing, and the API shows why', async (dialect, name) => {
  const { emaid = CONTRACT.emaid, leaf, pki = () => system.mo, status, ...statuses } = CASES[name] as Case;
  const station = await system.booted(dialect);
  const record = await station.connector(1).plugAndCharge(emaid, evidenceOf(dialect, leaf(), pki()));
  expect(record.answer).toMatchObject({
    certificateStatus: dialect === 'oca' ? statuses.oca : 'CertificateRevoked',
    idTokenInfo: { status },
  });
  expect(record.session).toBeUndefined();
  const { stationId } = station;
  expect(await system.items(`/transactions?stationId=${stationId}`)).toEqual([]);
  const certificateStatus = statuses[dialect] ?? statuses.oca;
  expect(await system.items(`/pnc-authorizations?stationId=${stationId}`)).toMatchObject([
    { dialect, emaid, status, certificateStatus, reason: expect.any(String) },
  ]);
});

// Hash data contain no dates: has2be leaves those to the station.
test('oca: an expired certificate starts nothing', async () => {
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

test.each(DIALECTS)('%s: an EV gets its contract certificate from the pool', async (dialect) => {
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
  '%s: an unreadable inner message is Rejected outside and does no harm',
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
