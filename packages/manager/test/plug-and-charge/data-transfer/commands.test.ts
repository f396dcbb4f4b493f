import type { Dialect } from '@evander/ocpp';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import type { CommandRow } from '../../../src/commands/command-list.store.ts';
import { packRequest } from '../../../src/plug-and-charge/data-transfer/codec.ts';
import type { PncCommandAction } from '../../../src/plug-and-charge/data-transfer/tunnel.ts';
import { CSR, ROOT_ONE, ROOT_TWO, SERIAL_ONE } from '../../certificates/certificates.ts';
import { openTestManager } from '../../test-manager.ts';
import type { StationAnswer, TestManager } from '../../test-manager.ts';
import { lastTunnelled, tunnel, tunnelled } from '../pnc.ts';

let manager: TestManager;
beforeAll(async () => {
  manager = await openTestManager();
});
afterAll(() => manager.close());
beforeEach(() =>
  manager.rows('TRUNCATE pnc_certificate_requests, installed_certificates, configuration_keys'),
);

const DIALECTS = ['oca', 'has2be'] as const;
const HASHES = {
  hashAlgorithm: 'SHA256',
  issuerNameHash: 'AA01',
  issuerKeyHash: 'BB01',
  serialNumber: SERIAL_ONE,
} as const;
const der = (pem: string) => new X509Certificate(pem).raw.toString('hex').toUpperCase();

function send(
  dialect: Dialect,
  action: PncCommandAction,
  request: object,
  answer?: StationAnswer,
): Promise<CommandRow> {
  return manager.command('DataTransfer', packRequest({ dialect, action }, request), answer);
}

const installed = () =>
  manager.rows('SELECT certificate_type, serial_number, pem, issuer_name_hash FROM installed_certificates');
const requests = () =>
  manager.rows(
    'SELECT state, reason, dialect, certificate_chain, command_id FROM pnc_certificate_requests ORDER BY 1, pnc_request_id',
  );

async function ask(dialect: Dialect): Promise<void> {
  const csr = dialect === 'oca' ? CSR : CSR.replaceAll(/-----.*-----|\n/g, '');
  const { inner } = await tunnel(manager, { dialect, action: 'SignCertificate' }, { csr });
  expect(inner).toEqual({ status: 'Accepted' });
}

test.each(DIALECTS)(
  '%s: an installed root is in the list of Plug & Charge until it is deleted',
  async (dialect) => {
    const request = { certificateType: 'V2GRootCertificate', certificate: ROOT_ONE };
    await send(dialect, 'InstallCertificate', request, tunnelled({ status: 'Rejected' }));
    await send(dialect, 'InstallCertificate', request, { status: 'UnknownMessageId' });
    await send(dialect, 'InstallCertificate', request, { status: 'Accepted', data: 'what?' });
    expect(await installed()).toEqual([]);
    await send(dialect, 'InstallCertificate', request, tunnelled({ status: 'Accepted' }));
    expect(lastTunnelled(manager)).toMatchObject({
      messageId: 'InstallCertificate',
      payload: dialect === 'oca' ? request : { ...request, certificate: der(ROOT_ONE) },
    });
    // The same root of another type is listed separately.
    await manager.command(
      'InstallCertificate',
      { certificateType: 'ManufacturerRootCertificate', certificate: ROOT_ONE },
      { status: 'Accepted' },
    );
    const both = [
      { certificate_type: 'ManufacturerRootCertificate' },
      { certificate_type: 'V2GRootCertificate', serial_number: SERIAL_ONE },
    ];
    expect(
      (await installed()).sort((a, b) =>
        String(a['certificate_type']) < String(b['certificate_type']) ? -1 : 1,
      ),
    ).toMatchObject(both);
    await send(
      dialect,
      'DeleteCertificate',
      { certificateHashData: HASHES },
      tunnelled({ status: 'Failed' }),
    );
    expect(await installed()).toHaveLength(2);
    await send(
      dialect,
      'DeleteCertificate',
      { certificateHashData: HASHES },
      tunnelled({ status: 'Accepted' }),
    );
    expect(await installed()).toMatchObject([{ certificate_type: 'ManufacturerRootCertificate' }]);
  },
);

test('oca: GetInstalledCertificateIds without a type reports all types, with their sub-CAs', async () => {
  const install = { certificateType: 'MORootCertificate', certificate: ROOT_TWO };
  await send('oca', 'InstallCertificate', install, tunnelled({ status: 'Accepted' }));
  const certificateHashDataChain = [
    { certificateType: 'V2GRootCertificate', certificateHashData: HASHES },
    {
      certificateType: 'V2GCertificateChain',
      certificateHashData: { ...HASHES, serialNumber: '7' },
      childCertificateHashData: [{ ...HASHES, serialNumber: '8' }],
    },
  ];
  await send(
    'oca',
    'GetInstalledCertificateIds',
    {},
    tunnelled({ status: 'Accepted', certificateHashDataChain }),
  );
  expect(
    await manager.rows(
      'SELECT certificate_type AS type, serial_number AS serial, child_hash_data AS children FROM installed_certificates ORDER BY 1',
    ),
  ).toEqual([
    { type: 'V2GCertificateChain', serial: '7', children: [{ ...HASHES, serialNumber: '8' }] },
    { type: 'V2GRootCertificate', serial: SERIAL_ONE, children: null },
  ]);
  const types = { certificateType: ['V2GCertificateChain'] };
  await send('oca', 'GetInstalledCertificateIds', types, tunnelled({ status: 'NotFound' }));
  expect(await installed()).toMatchObject([{ certificate_type: 'V2GRootCertificate' }]);
});

test.each(['certificateHashDataChain', 'certificateHashData'])(
  'has2be: GetInstalledCertificateIds requires one type, and its response may use the field %s',
  async (name) => {
    await expect(send('has2be', 'GetInstalledCertificateIds', {})).rejects.toMatchObject({ rule: 'H2B.2' });
    const request = { certificateType: ['MORootCertificate'] };
    const answer = tunnelled({ status: 'Accepted', [name]: [HASHES] });
    await send('has2be', 'GetInstalledCertificateIds', request, answer);
    expect(lastTunnelled(manager).payload).toEqual({ typeOfCertificate: ['MORootCertificate'] });
    expect(await installed()).toMatchObject([
      { certificate_type: 'MORootCertificate', serial_number: SERIAL_ONE, issuer_name_hash: 'AA01' },
    ]);
  },
);

test.each(DIALECTS)('%s: a V2G certificate is sent for the waiting request', async (dialect) => {
  const certificateChain = ROOT_ONE + ROOT_TWO;
  await expect(send(dialect, 'CertificateSigned', { certificateChain })).rejects.toMatchObject({
    rule: 'PnC.10',
  });
  await ask(dialect);
  await ask(dialect);
  expect(await requests()).toMatchObject([{ state: 'requested', dialect }, { state: 'superseded' }]);
  await send(dialect, 'CertificateSigned', { certificateChain }, tunnelled({ status: 'Rejected' }));
  expect(await requests()).toMatchObject([{ state: 'refused', reason: 'Rejected' }, { state: 'superseded' }]);
  const { commandId } = await send(
    dialect,
    'CertificateSigned',
    { certificateChain },
    tunnelled({ status: 'Accepted' }),
  );
  const { payload, vendorId } = lastTunnelled(manager);
  if (dialect === 'oca') expect(payload).toEqual({ certificateChain });
  else
    expect({ vendorId, payload }).toEqual({
      vendorId: 'iso15118',
      payload: { cert: der(ROOT_ONE) + der(ROOT_TWO), typeOfCertificate: 'V2GCertificate' },
    });
  expect(await requests()).toMatchObject([
    { state: 'installed', certificate_chain: certificateChain, command_id: commandId },
    { state: 'superseded' },
  ]);
  expect(await installed()).toMatchObject([
    { certificate_type: 'V2GCertificateChain', serial_number: SERIAL_ONE, pem: certificateChain },
  ]);
});

test.each([
  ['an error', { error: 'InternalError' }, 'InternalError: no'],
  [
    'a station without Plug & Charge',
    { status: 'UnknownVendorId' },
    'the station answered DataTransfer with UnknownVendorId',
  ],
  ['an answer without a status', tunnelled({}), 'the answer cannot be read: status is missing'],
])('a CertificateSigned that fails with %s leaves the request waiting', async (_name, answer, reason) => {
  await ask('oca');
  await send('oca', 'CertificateSigned', { certificateChain: ROOT_ONE }, answer);
  expect(await requests()).toMatchObject([{ state: 'requested', reason, command_id: null }]);
});

test('tunnelled commands are checked against the rules', async () => {
  const transfer = (messageId: string, data: object, vendorId = 'org.openchargealliance.iso15118pnc') =>
    manager.command('DataTransfer', { vendorId, messageId, data: JSON.stringify(data) });
  await expect(transfer('Authorize', {})).rejects.toMatchObject({ rule: 'PnC.1' });
  await expect(transfer('Reset', {})).rejects.toMatchObject({ rule: 'PnC.1' });
  await expect(transfer('InstallCertificate', {})).rejects.toMatchObject({
    code: 'OccurenceConstraintViolation',
  });
  await expect(transfer('TriggerMessage', { connectorId: 1 })).rejects.toMatchObject({
    code: 'FormationViolation',
  });
  await expect(
    transfer('installcertificate', { certificateType: 'MORootCertificate', certificate: 'x' }),
  ).rejects.toMatchObject({ rule: 'InstallCert.1' });
  await ask('oca');
  await expect(transfer('CertificateSigned', { certificateChain: CSR })).rejects.toMatchObject({
    rule: 'PnC.11',
  });
  await manager.rows(
    `INSERT INTO configuration_keys (station_id, key_lower, key, value, read_at)
     VALUES ('CP1', 'certificatesignedmaxchainsize', 'CertificateSignedMaxChainSize', '1000', now())`,
  );
  await expect(
    transfer('CertificateSigned', { certificateChain: ROOT_ONE + ROOT_TWO }),
  ).rejects.toMatchObject({ rule: 'PnC.11' });
  // Messages of other vendors are not checked.
  expect(await transfer('Authorize', {}, 'org.example')).toMatchObject({ status: 'sent' });
  // Such a small value is a number of certificates, not a length.
  await manager.rows("UPDATE configuration_keys SET value = '4'");
  expect(await transfer('CertificateSigned', { certificateChain: ROOT_ONE + ROOT_TWO })).toMatchObject({
    status: 'queued',
  });
});
