import { expect, test } from '@jest/globals';
import { certification } from './tool.ts';

const cases = certification();

test('TC_054_CSMS Trigger Message', async () => {
  const tool = await cases.open('TC_054');
  await tool.boot();
  const desired = [
    { requestedMessage: 'MeterValues', connectorId: 1 },
    { requestedMessage: 'Heartbeat' },
    { requestedMessage: 'StatusNotification', connectorId: 1 },
    { requestedMessage: 'DiagnosticsStatusNotification' },
    { requestedMessage: 'FirmwareStatusNotification' },
  ] as const;
  for (const request of desired) {
    const before = tool.answersOfCsms(request.requestedMessage).length;
    expect(await tool.send('TriggerMessage', request)).toMatchObject({ response: { status: 'Accepted' } });
    await tool.until(request.requestedMessage, before + 1);
  }
  expect(tool.sentByCsms('TriggerMessage')).toEqual(desired);
  const values = await tool.listed('/meter-values');
  expect(values.map(({ context }) => context)).toContain('Trigger');
});

test('TC_055_CSMS Trigger Message - Rejected', async () => {
  const tool = await cases.open('TC_055');
  await tool.boot();
  tool.station.answers.next('TriggerMessage', { response: { status: 'Rejected' } });
  expect(await tool.send('TriggerMessage', { requestedMessage: 'MeterValues' })).toMatchObject({
    status: 'answered',
    response: { status: 'Rejected' },
  });
});
