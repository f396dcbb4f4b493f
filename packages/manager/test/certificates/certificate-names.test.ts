import { Certificate } from '@evander/pki';
import { silentLog } from '@evander/process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OpenSsl } from '../../../../test/openssl.ts';
import { Signing } from '../../src/certificates/signer.ts';
import * as stations from '../../src/stations/stations.store.ts';
import { KEYS, openApi } from '../http/harness.ts';
import type { TestApi } from '../http/harness.ts';
import { tunnel } from '../plug-and-charge/pnc.ts';

let api: TestApi;
let openssl: OpenSsl;
beforeAll(async () => {
  [api, openssl] = await Promise.all([openApi(), OpenSsl.open()]);
  const { manager } = api;
  await api.send('PUT', '/api/v1/stations/CP1', { serialNumbers: ['SN-1', 'cp1.example.com', 'DE*ABC*E1'] });
  await api.send('PUT', '/api/v1/stations/CP2', { serialNumbers: ['SN-2'] });
  // CP1 claims names of CP2, and one that is not registered.
  for (const claimed of ['CP2', 'SN-2', 'SN-REPORTED'])
    await manager.ask('BootNotification', {
      chargePointVendor: 'Vendor',
      chargePointModel: 'Model',
      chargePointSerialNumber: claimed,
      chargeBoxSerialNumber: 'SN-REPORTED',
    });
});
afterAll(async () => {
  await api.close();
  await openssl.close();
});

let count = 0;
/** Creates a signing request (PKCS#10) in PEM with openssl. */
async function makeCsr(subject: string, extension?: string): Promise<string> {
  const file = `${(count += 1)}.csr`;
  const added = extension === undefined ? [] : ['-addext', extension];
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    `${file}.key`,
  ];
  await openssl.run('req', '-new', ...key, '-multivalue-rdn', '-subj', subject, ...added, '-out', file);
  return readFile(join(openssl.directory, file), 'utf8');
}

/** The paths by which a station's request can arrive; each resolves with whether it was accepted. */
const PATHS: Record<string, (csr: string) => Promise<boolean>> = {
  'SignCertificate (1.6 Security)': async (csr) =>
    isAccepted((await api.manager.ask('SignCertificate', { csr })).response),
  'SignCertificate (PnC, oca)': async (csr) =>
    isAccepted((await tunnel(api.manager, { dialect: 'oca', action: 'SignCertificate' }, { csr })).inner),
  'SignCertificate (PnC, has2be)': async (csr) => {
    const base64 = csr.replaceAll(/-----.*-----|\n/g, '');
    const message = { dialect: 'has2be', action: 'SignCertificate' } as const;
    return isAccepted((await tunnel(api.manager, message, { csr: base64 })).inner);
  },
  'POST /issued-certificates': async (csr) => {
    const { status } = await api.send('POST', '/api/v1/issued-certificates', { stationId: 'CP1', csr });
    expect([201, 400]).toContain(status);
    return status === 201;
  },
};

function isAccepted(answer: unknown): boolean {
  return (answer as { status?: string } | undefined)?.status === 'Accepted';
}

/** A request's name, subject and optional extension. */
type Variant = [name: string, subject: string, extension?: string];

const ACCEPTED: Variant[] = [
  ['the id', '/CN=CP1'],
  ['a registered serial number', '/O=Operator/CN=SN-1'],
  ['a registered SECC id (ISO 15118)', '/O=Operator/CN=DE*ABC*E1/DC=CPO'],
  ['names in the SAN that are its own', '/CN=CP1', 'subjectAltName=DNS:cp1.example.com,URI:SN-1'],
  ['its serial number in the subject too', '/CN=CP1/serialNumber=SN-1'],
  ['a harmless extension', '/CN=CP1', 'keyUsage=digitalSignature'],
];

const REJECTED: Variant[] = [
  ['no CN', '/O=Operator'],
  ['the id of another', '/CN=CP2'],
  ['the registered serial number of another', '/CN=SN-2'],
  ['a serial number that only the station reported', '/CN=SN-REPORTED'],
  ['an unknown SECC id', '/CN=DE*ABC*E2/DC=CPO'],
  ['the eMAID of a contract (EVCC)', '/CN=DE8AA1A2B3C4D51/DC=CPO'],
  ['an id that begins like its own', '/CN=CP1 '],
  ['its id in lower case', '/CN=cp1'],
  ['two CNs', '/CN=CP1/CN=CP2'],
  ['two CNs, its own last', '/CN=CP2/CN=CP1'],
  ['two CNs in one part', '/CN=CP1+CN=CP2'],
  ['serialNumber of another', '/CN=CP1/serialNumber=CP2'],
  ['UID of another', '/CN=CP1/UID=CP2'],
  ['emailAddress', '/CN=CP1/emailAddress=CP2'],
  ['DNS name', '/CN=CP1', 'subjectAltName=DNS:CP2'],
  ['a DNS name after its own', '/CN=CP1', 'subjectAltName=DNS:CP1,DNS:CP2'],
  ['URI', '/CN=CP1', 'subjectAltName=URI:urn:station:CP2'],
  ['IP address', '/CN=CP1', 'subjectAltName=IP:192.0.2.1'],
  ['IPv6 address', '/CN=CP1', 'subjectAltName=IP:2001:db8::1'],
  ['e-mail', '/CN=CP1', 'subjectAltName=email:CP2'],
  ['otherName', '/CN=CP1', 'subjectAltName=otherName:1.2.3.4;UTF8:CP2'],
  ['registered id', '/CN=CP1', 'subjectAltName=RID:1.2.3.4'],
  ['a CA', '/CN=CP1', 'basicConstraints=critical,CA:TRUE'],
];

const requests = new Map<string, Promise<string>>();
/** The request of a variant, created once and sent on each path. */
function csrOf([name, subject, extension]: Variant): Promise<string> {
  const csr = requests.get(name) ?? makeCsr(subject, extension);
  requests.set(name, csr);
  return csr;
}

for (const [path, send] of Object.entries(PATHS)) {
  for (const variant of ACCEPTED)
    test(`${path}: a request with ${variant[0]} is accepted`, async () => {
      expect(await send(await csrOf(variant))).toBe(true);
    });
  for (const variant of REJECTED)
    test(`${path}: a request with ${variant[0]} is rejected`, async () => {
      expect(await send(await csrOf(variant))).toBe(false);
    });
}

describe('the key of a revoked certificate', () => {
  let csr: string;
  async function revoke(reason: string): Promise<void> {
    csr = await makeCsr('/CN=CP1');
    const issued = await api.send('POST', '/api/v1/issued-certificates', { stationId: 'CP1', csr });
    const { serialNumber } = Certificate.parse(String(issued.body.certificateChain));
    const path = `/api/v1/issued-certificates/${serialNumber}/revocation`;
    expect((await api.send('POST', path, { reason }, KEYS.admin)).status).toBe(200);
  }

  test.each(Object.keys(PATHS))('revoked as keyCompromise, is not signed again: %s', async (path) => {
    await revoke('keyCompromise');
    expect(await PATHS[path]?.(csr)).toBe(false);
    expect(await PATHS[path]?.(await makeCsr('/CN=CP1'))).toBe(true);
  });

  test('revoked for another reason, may be signed again', async () => {
    await revoke('superseded');
    expect(await PATHS['SignCertificate (1.6 Security)']?.(csr)).toBe(true);
  });
});

test.each(['CPS', 'MO', 'V2G', 'CPO/DC=CPS'])('a V2G request for the role %s is rejected', async (role) => {
  const csr = await makeCsr(`/CN=CP1/DC=${role}`);
  for (const path of ['SignCertificate (PnC, oca)', 'SignCertificate (PnC, has2be)'])
    expect(await PATHS[path]?.(csr)).toBe(false);
  const requests = await api.send('GET', '/api/v1/stations/CP1/pnc-certificate-requests?limit=1');
  expect(requests.body.items[0]).toMatchObject({ reason: expect.stringContaining(`DC`) as unknown });
});

test('only accepted requests are sent to an external authority (EST)', async () => {
  const { database, callMaker, now } = api.manager;
  const requested: string[] = [];
  const signer = {
    sign: async (_stationId: string, csr: string) => {
      requested.push(csr);
      return api.certificates.authority.issueForStation('CP1', csr);
    },
  };
  const signing = new Signing({ database, callMaker, signer, now, log: silentLog() });
  await api.manager.rows('TRUNCATE certificate_requests');
  for (const [, subject, extension] of REJECTED) {
    await api.manager.ask('SignCertificate', { csr: await makeCsr(subject, extension) });
    await signing.signDue();
  }
  const own = await makeCsr('/CN=SN-1');
  await api.manager.ask('SignCertificate', { csr: own });
  await signing.signDue();
  expect(requested).toEqual([own]);
});

test('the reason stays short for a request with very many names', async () => {
  const names = Array.from({ length: 1000 }, (_, i) => `DNS:n${i},RID:1.2.3.${i}`);
  await api.manager.ask('SignCertificate', {
    csr: await makeCsr('/CN=CP1', `subjectAltName=${names.join()}`),
  });
  const { body } = await api.send('GET', '/api/v1/stations/CP1/certificate-requests?limit=1');
  const reason = String(body.items[0]?.['reason']);
  expect(reason).toContain('1995 more');
  expect(reason.length).toBeLessThan(1000);
});

test('the reason says why a request was rejected, and how to register a name', async () => {
  await api.manager.ask('SignCertificate', { csr: await makeCsr('/CN=SN-REPORTED') });
  const { body } = await api.send('GET', '/api/v1/stations/CP1/certificate-requests?limit=1');
  expect(body.items[0]).toMatchObject({
    state: 'rejected',
    reason: expect.stringMatching(/SN-REPORTED.*CP1.*SN-1.*serialNumbers/s) as unknown,
  });
});

test('a certificate of an external authority is valid only for the station that it names', async () => {
  const root = await openssl.root('/O=Maker/CN=Maker Root');
  const trusted = { certificate: root.certificate, organisations: ['Maker'] };
  expect((await api.send('POST', '/api/v1/trusted-roots', trusted)).status).toBe(200);
  api.certificates.judge.forgetRoots();
  const faultOf = async (stationId: string, subject: string, names?: string) => {
    const extensions = [
      'extendedKeyUsage=clientAuth',
      ...(names === undefined ? [] : [`subjectAltName=${names}`]),
    ];
    const own = await openssl.certificate({ subject: `/O=Maker${subject}`, issuer: root, extensions });
    return api.certificates.judge.faultOf(stationId, own.certificate);
  };
  expect(await faultOf('CP1', '/CN=SN-1')).toBeNull();
  expect(await faultOf('CP1', '/CN=Model X', 'DNS:SN-1')).toBeNull();
  for (const [subject, names] of [
    ['/CN=CP2'],
    ['/CN=SN-2'],
    ['/CN=SN-REPORTED'],
    ['/CN=Model X', 'DNS:CP2'],
    ['/CN=CP2', 'DNS:CP1'],
    ['/CN=CP1', 'DNS:CP2'],
    ['/CN=SN-1', 'URI:SN-2'],
    ['/CN=CP1/CN=CP2'],
    ['/CN=CP1/serialNumber=SN-2'],
  ] as const)
    expect([subject, names, await faultOf('CP1', subject, names)]).toEqual([
      subject,
      names,
      expect.stringMatching(/which is neither station CP1|names station CP2/),
    ]);
});

test('a certificate of the built-in authority is valid only for its station', async () => {
  const chain = await api.certificates.authority.issueForStation('CP2', await makeCsr('/CN=CP2'));
  expect(await api.certificates.judge.faultOf('CP1', chain)).toContain('its CN is CP2');
  expect(await api.certificates.judge.faultOf('CP2', chain)).toBeNull();
});

test('a name belongs to one station', async () => {
  for (const [stationId, serialNumbers] of [
    ['CP3', ['SN-2']],
    ['CP3', ['CP2']],
    ['CP1', ['CP1', 'SN-2']],
    ['SN-2', []],
  ] as const)
    expect(await api.send('PUT', `/api/v1/stations/${stationId}`, { serialNumbers })).toMatchObject({
      status: 409,
      body: { field: 'serialNumbers', detail: expect.stringContaining('station CP2') as unknown },
    });
  // An unregistered station that connects does not get the name either.
  await stations.addUnknown(api.manager.database, ['SN-2']);
  expect(await stations.find(api.manager.database, 'SN-2')).toBeUndefined();
});
