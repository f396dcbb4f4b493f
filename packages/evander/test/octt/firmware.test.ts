import { expect, test } from '@jest/globals';
import type { Requests } from '@evander/ocpp';
import { certification, now } from './tool.ts';
import type { Tool } from './tool.ts';

const cases = certification();
const LOCATION = 'https://files.example/firmware.bin';

async function booted(caseId: string): Promise<Tool> {
  const tool = await cases.open(caseId);
  await tool.boot();
  return tool;
}

async function updateFirmware(caseId: string): Promise<Tool> {
  const tool = await booted(caseId);
  tool.station.answers.next('UpdateFirmware', { response: {} });
  await tool.send('UpdateFirmware', { location: LOCATION, retrieveDate: now() });
  expect(tool.sentByCsms('UpdateFirmware')).toMatchObject([{ location: LOCATION }]);
  return tool;
}

async function report(
  tool: Tool,
  ...statuses: Requests['FirmwareStatusNotification']['status'][]
): Promise<void> {
  for (const status of statuses) await tool.station.call('FirmwareStatusNotification', { status });
}

async function install(tool: Tool): Promise<void> {
  await report(tool, 'Downloading', 'Downloaded');
  for (const connectorId of [0, 1, 2]) await tool.status(connectorId, 'Unavailable');
  await report(tool, 'Installing');
  expect(await tool.station.boot()).toMatchObject({ status: 'Accepted' });
}

test('TC_044_1_CSMS Firmware Update - Download and Install', async () => {
  const tool = await updateFirmware('TC_044_1');
  await install(tool);
  await report(tool, 'Installed');
  expect(await tool.listed('/jobs')).toMatchObject([{ kind: 'firmware', outcome: 'succeeded' }]);
});

test('TC_044_2_CSMS Firmware Update - Download Failed', async () => {
  const tool = await updateFirmware('TC_044_2');
  await report(tool, 'Downloading', 'DownloadFailed');
  expect(await tool.listed('/jobs')).toMatchObject([{ kind: 'firmware', outcome: 'failed' }]);
});

test('TC_044_3_CSMS Firmware Update - Installation Failed', async () => {
  const tool = await updateFirmware('TC_044_3');
  await install(tool);
  await report(tool, 'InstallationFailed');
  expect(await tool.listed('/jobs')).toMatchObject([{ kind: 'firmware', outcome: 'failed' }]);
});

test.each([
  ['TC_045_1_CSMS Get Diagnostics', 'TC_045_1', 'Uploaded', 'succeeded'],
  ['TC_045_2_CSMS Get Diagnostics - Upload Failed', 'TC_045_2', 'UploadFailed', 'failed'],
] as const)('%s', async (...[, caseId, last, outcome]) => {
  const tool = await booted(caseId);
  tool.station.answers.next('GetDiagnostics', { response: { fileName: 'diagnostics.txt' } });
  await tool.send('GetDiagnostics', { location: 'https://files.example/upload' });
  expect(tool.sentByCsms('GetDiagnostics')).toMatchObject([{ location: 'https://files.example/upload' }]);
  for (const status of ['Uploading', last] as const)
    await tool.station.call('DiagnosticsStatusNotification', { status });
  expect(await tool.listed('/jobs')).toMatchObject([
    { kind: 'diagnostics', fileName: 'diagnostics.txt', outcome },
  ]);
});
