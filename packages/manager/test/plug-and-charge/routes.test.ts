import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { CSR, ROOT_ONE, ROOT_TWO, SERIAL_ONE } from '../certificates/certificates.ts';
import { allPages, KEYS, openApi } from '../http/harness.ts';
import type { Answer, TestApi } from '../http/harness.ts';
import { addTag } from '../test-manager.ts';
import { lastTunnelled, tunnel, tunnelled } from './pnc.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

const STATION = '/api/v1/stations/CP1';

/** Sends a command over HTTP and answers it as the station would. */
async function send(action: string, body: object, answers: object[], query = ''): Promise<Answer> {
  const before = api.manager.sent().length;
  const pending = api.send('POST', `${STATION}/pnc-commands/${action}${query}`, body);
  for (const [i, answer] of answers.entries()) {
    while (api.manager.sent().length <= before + i) await delay(5);
    const call = api.manager.sent()[before + i];
    if (call) await api.manager.answer(call, answer);
    for (const completed of api.manager.completed.splice(0))
      api.manager.callMaker.onCompleted(completed.split(' ')[1] ?? '');
  }
  return pending;
}

test('a tunnelled command is sent in the dialect of the station and recorded, and its answer is read', async () => {
  const install = { certificateType: 'MORootCertificate', certificate: ROOT_ONE };
  const first = await send('InstallCertificate', install, [tunnelled({ status: 'Accepted' })]);
  expect(first).toMatchObject({
    status: 200,
    body: {
      action: 'DataTransfer',
      status: 'answered',
      requestedBy: 'admin',
      tunnelled: {
        dialect: 'oca',
        messageId: 'InstallCertificate',
        status: 'Accepted',
        response: { status: 'Accepted' },
      },
    },
  });
  await tunnel(api.manager, { dialect: 'has2be', action: 'SignCertificate' }, { csr: CSR });
  const second = await send('InstallCertificate', install, [{ status: 'Accepted', data: 'broken' }]);
  expect(lastTunnelled(api.manager).vendorId).toBe('iso15118');
  expect(second.body).toMatchObject({ tunnelled: { dialect: 'has2be', status: 'Accepted', response: null } });
  await send('InstallCertificate', install, [tunnelled({ status: 'Failed' })], '?dialect=oca');
  expect(lastTunnelled(api.manager).vendorId).toBe('org.openchargealliance.iso15118pnc');
  const list = (await api.send('GET', '/api/v1/commands?action=DataTransfer')).body;
  expect(list.items).toHaveLength(3);
});

test('TriggerMessage is sent by its other name to has2be stations that do not know the first', async () => {
  const query = '?dialect=has2be';
  const answer = await send(
    'TriggerMessage',
    {},
    [{ status: 'UnknownMessageId' }, tunnelled({ status: 'Accepted' })],
    query,
  );
  expect(answer.body).toMatchObject({
    tunnelled: { messageId: 'TriggerMessage', response: { status: 'Accepted' } },
  });
  expect(lastTunnelled(api.manager).payload).toEqual({ requestedMessage: 'SignV2GCertificate' });
  const none = await send(
    'TriggerMessage',
    {},
    [{ status: 'UnknownMessageId' }, { status: 'UnknownMessageId' }],
    query,
  );
  expect(none.body).toMatchObject({ tunnelled: { status: 'UnknownMessageId', response: null } });
});

test('invalid commands are not sent', async () => {
  const post = (action: string, body: object, path = STATION) =>
    api.send('POST', `${path}/pnc-commands/${action}`, body);
  expect(await post('InstallCertificate', { certificateType: 'MORootCertificate' })).toMatchObject({
    status: 400,
    body: { detail: 'body: certificate is missing' },
  });
  expect(await post('DeleteCertificate', { certificateHashData: {} })).toMatchObject({ status: 400 });
  expect(
    await post('InstallCertificate', { certificateType: 'MORootCertificate', certificate: 'x' }),
  ).toMatchObject({ status: 422, body: { rule: 'InstallCert.1' } });
  expect(await post('TriggerMessage', {}, '/api/v1/stations/nobody')).toMatchObject({ status: 404 });
  expect(await post('Authorize', {})).toMatchObject({ status: 404 });
  expect(await api.send('POST', `${STATION}/pnc-commands/TriggerMessage`, {}, KEYS.viewer)).toMatchObject({
    status: 403,
  });
});

test('certificates, requests and authorizations of Plug & Charge are listed', async () => {
  const { manager } = api;
  await manager.rows('TRUNCATE installed_certificates, pnc_certificate_requests, pnc_authorizations');
  await tunnel(manager, { dialect: 'oca', action: 'SignCertificate' }, { csr: CSR });
  await send('CertificateSigned', { certificateChain: ROOT_ONE + ROOT_TWO }, [
    tunnelled({ status: 'Accepted' }),
  ]);
  await send('InstallCertificate', { certificateType: 'V2GRootCertificate', certificate: ROOT_TWO }, [
    tunnelled({ status: 'Accepted' }),
  ]);
  const native = { certificateType: 'ManufacturerRootCertificate', certificate: ROOT_ONE };
  await manager.command('InstallCertificate', native, { status: 'Accepted' });
  const certificates = await allPages(api, `${STATION}/pnc-certificates`, 1);
  expect(certificates).toMatchObject([
    { certificateType: 'V2GCertificateChain', serialNumber: SERIAL_ONE, pem: ROOT_ONE + ROOT_TWO },
    { certificateType: 'V2GRootCertificate', pem: ROOT_TWO, childCertificateHashData: null },
  ]);
  expect((await api.send('GET', `${STATION}/certificates`)).body.items).toMatchObject([
    { certificateType: 'ManufacturerRootCertificate' },
  ]);
  expect(
    (await api.send('GET', `${STATION}/pnc-certificate-requests?state=installed`)).body.items,
  ).toMatchObject([{ dialect: 'oca', csr: CSR, state: 'installed', certificateChain: ROOT_ONE + ROOT_TWO }]);

  await addTag(manager, 'DE8AACA2B3C4D5');
  for (let i = 0; i < 3; i++)
    await tunnel(
      manager,
      { dialect: 'oca', action: 'Authorize' },
      { idToken: { idToken: 'DE-8AA-CA2B3C4D5-L' } },
    );
  await tunnel(manager, { dialect: 'oca', action: 'Authorize' }, { idToken: { idToken: 'DE8AACA2B3C4D6' } });
  const authorizations = await allPages(api, '/api/v1/pnc-authorizations?stationId=CP1', 2);
  expect(authorizations).toHaveLength(4);
  expect(await allPages(api, '/api/v1/pnc-authorizations?emaid=de8aaca2b3c4d5', 2)).toMatchObject(
    Array(3).fill({
      emaid: 'DE-8AA-CA2B3C4D5-L',
      idTag: 'DE8AACA2B3C4D5',
      status: 'Accepted',
      certificateStatus: null,
    }),
  );
});

test('roots can be added, read and removed', async () => {
  const put = (body: object, key = KEYS.admin) => api.send('PUT', '/api/v1/pnc-roots', body, key);
  const root = { certificateType: 'V2GRootCertificate', certificate: ROOT_ONE, note: 'ours' };
  expect(await put(root, KEYS.operator)).toMatchObject({ status: 403 });
  expect(await put({ ...root, certificate: CSR })).toMatchObject({ status: 400 });
  expect(await put({ ...root, certificate: ROOT_ONE + ROOT_TWO })).toMatchObject({ status: 400 });
  const added = await put(root);
  expect(added).toMatchObject({
    status: 201,
    body: {
      certificateType: 'V2GRootCertificate',
      isSelfSigned: true,
      serialNumber: SERIAL_ONE,
      note: 'ours',
    },
  });
  expect(await put(root)).toMatchObject({ status: 200 });
  await put({ certificateType: 'MORootCertificate', certificate: ROOT_TWO });
  expect(await allPages(api, '/api/v1/pnc-roots', 1)).toHaveLength(2);
  expect(await allPages(api, '/api/v1/pnc-roots?certificateType=MORootCertificate', 1)).toHaveLength(1);
  const path = `/api/v1/pnc-roots/${String(added.body['fingerprint']).toUpperCase()}`;
  expect(await api.send('GET', path)).toMatchObject({ status: 200, body: { pem: ROOT_ONE } });
  expect(await api.send('DELETE', path, undefined, KEYS.operator)).toMatchObject({ status: 403 });
  expect(await api.send('DELETE', path)).toMatchObject({ status: 204 });
  expect(await api.send('GET', path)).toMatchObject({ status: 404 });
  expect(await api.send('GET', '/api/v1/pnc-roots/xyz')).toMatchObject({ status: 400 });
});

test('the OpenAPI document contains the routes', async () => {
  const { paths } = (await api.send('GET', '/openapi.json')).body;
  expect(Object.keys(paths).filter((path) => path.includes('pnc'))).toHaveLength(10);
});
