import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import type { Requests } from '@evander/ocpp';
import { eventually } from '../system/fixture.ts';
import { foreignStation } from '../system/foreign-station.ts';
import { certification, now } from './tool.ts';
import type { Tool } from './tool.ts';

const cases = certification();
const ROOT = readFileSync(new URL('../system/root.pem', import.meta.url), 'utf8');
const OLD_KEY = '000102030405060708090a0b0c0d0e0f10111213';
const NEW_KEY = 'ff01020304050607fff90a0b0c0d0e0f10111213';

async function booted(caseId: string, options = {}): Promise<Tool> {
  const tool = await cases.open(caseId, options);
  await tool.boot();
  return tool;
}

test('TC_073_CSMS Update Charge Point Password for HTTP Basic Authentication', async () => {
  const tool = await cases.open('TC_073', { password: Buffer.from(OLD_KEY, 'hex') });
  await tool.api('PUT', '/stations/TC_073', { securityProfile: 1, password: OLD_KEY });
  await tool.boot();
  const isBack = once(tool.station, 'connected');
  expect(await tool.send('ChangeConfiguration', { key: 'AuthorizationKey', value: NEW_KEY })).toMatchObject({
    response: { status: 'Accepted' },
  });
  expect(tool.sentByCsms('ChangeConfiguration')).toEqual([{ key: 'AuthorizationKey', value: NEW_KEY }]);
  await isBack;
  await tool.station.call('Heartbeat', {});
  const old = foreignStation({ url: cases.url() }, 'TC_073', { password: Buffer.from(OLD_KEY, 'hex') });
  await expect(old.connect()).rejects.toThrow('Unauthorized');
});

test('TC_076_CSMS Delete a specific certificate from the Charge Point', async () => {
  const tool = await booted('TC_076');
  const certificateType = 'ManufacturerRootCertificate';
  for (const hashAlgorithm of ['SHA256', 'SHA384', 'SHA512']) {
    const certificateHashData = {
      hashAlgorithm,
      issuerNameHash: 'AB'.repeat(32),
      issuerKeyHash: 'CD'.repeat(32),
      serialNumber: '0A1B',
    };
    for (const action of ['InstallCertificate', 'DeleteCertificate'] as const)
      tool.station.answers.next(action, { response: { status: 'Accepted' } });
    tool.station.answers.next('GetInstalledCertificateIds', {
      response: { status: 'Accepted', certificateHashData: [certificateHashData] },
    });
    await tool.send('InstallCertificate', { certificateType, certificate: ROOT });
    await tool.send('GetInstalledCertificateIds', { certificateType });
    expect(await tool.listed('/certificates')).toMatchObject([{ certificateType, certificateHashData }]);
    await tool.send('DeleteCertificate', { certificateHashData });
    expect(tool.sentByCsms('DeleteCertificate').at(-1)).toEqual({ certificateHashData });
    expect(await tool.listed('/certificates')).toEqual([]);
  }
});

test('TC_079_CSMS Get Security Log', async () => {
  const tool = await booted('TC_079');
  tool.station.answers.next('GetLog', { response: { status: 'Accepted', filename: 'security.log' } });
  const remoteLocation = 'https://files.example/logs';
  await tool.send('GetLog', { logType: 'SecurityLog', log: { remoteLocation } });
  const [sent] = tool.sentByCsms('GetLog');
  expect(sent).toMatchObject({ logType: 'SecurityLog', log: { remoteLocation } });
  const requestId = sent?.requestId ?? 0;
  for (const status of ['Uploading', 'Uploaded'] as const)
    await tool.station.call('LogStatusNotification', { status, requestId });
  expect(await tool.listed('/jobs')).toMatchObject([{ kind: 'log', requestId, outcome: 'succeeded' }]);
});

const FIRMWARE = {
  location: 'https://files.example/firmware.bin',
  retrieveDateTime: now(),
  signingCertificate: ROOT,
};

async function updateFirmware(caseId: string, signature: string): Promise<{ tool: Tool; requestId: number }> {
  const tool = await booted(caseId);
  tool.station.answers.next('SignedUpdateFirmware', { response: { status: 'Accepted' } });
  const firmware = { ...FIRMWARE, signature };
  await tool.send('SignedUpdateFirmware', { firmware });
  const [sent] = tool.sentByCsms('SignedUpdateFirmware');
  expect(sent?.firmware).toEqual(firmware);
  return { tool, requestId: sent?.requestId ?? 0 };
}

type SignedStatus = Requests['SignedFirmwareStatusNotification']['status'];

async function report(
  { tool, requestId }: { tool: Tool; requestId: number },
  ...statuses: SignedStatus[]
): Promise<void> {
  for (const status of statuses)
    await tool.station.call('SignedFirmwareStatusNotification', { status, requestId });
}

test('TC_080_CSMS Secure Firmware Update', async () => {
  const update = await updateFirmware('TC_080', Buffer.from('a signature').toString('base64'));
  const { tool } = update;
  await report(update, 'Downloading', 'Downloaded', 'SignatureVerified');
  for (const connectorId of [1, 2]) await tool.status(connectorId, 'Unavailable');
  await report(update, 'Installing', 'InstallRebooting');
  expect(await tool.station.boot()).toMatchObject({ status: 'Accepted' });
  await tool.station.call('SecurityEventNotification', { type: 'FirmwareUpdated', timestamp: now() });
  await tool.status(1, 'Available');
  await report(update, 'Installed');
  expect(await tool.listed('/jobs')).toMatchObject([{ kind: 'signedFirmware', outcome: 'succeeded' }]);
  const { body } = await tool.api('GET', '/security-events?stationId=TC_080');
  expect(body?.items).toMatchObject([{ type: 'FirmwareUpdated' }]);
});

test('TC_081_CSMS Secure Firmware Update - Invalid Signature', async () => {
  const update = await updateFirmware('TC_081', Buffer.from('a wrong signature').toString('base64'));
  await report(update, 'Downloading', 'Downloaded', 'InvalidSignature');
  expect(await update.tool.listed('/jobs')).toMatchObject([{ kind: 'signedFirmware', outcome: 'failed' }]);
});

test('TC_085_CSMS Basic Authentication - Valid username/password combination', async () => {
  const tool = await cases.open('TC_085', { password: Buffer.from(OLD_KEY, 'hex') });
  await tool.api('PUT', '/stations/TC_085', { securityProfile: 1, password: OLD_KEY });
  await expect(foreignStation({ url: cases.url() }, 'TC_085').connect()).rejects.toThrow('Unauthorized');
  await tool.boot();
  await eventually(async () => expect(await tool.shown()).toMatchObject({ securityProfile: 1 }));
});

test('TC_088_CSMS WebSocket Subprotocol negotiation', async () => {
  const offer = (protocols: string[]) =>
    foreignStation({ url: cases.url() }, 'TC_088', { protocols, strictMode: false });
  await expect(offer(['ocpp0.1']).connect()).rejects.toThrow();
  const station = offer(['ocpp0.1', 'ocpp1.6']);
  await station.connect();
  expect(station.protocol).toBe('ocpp1.6');
  await station.close();
});
