import { expect, test } from '@jest/globals';
import { eventually } from '../system/fixture.ts';
import { certification, TAGS } from './tool.ts';
import type { Tool } from './tool.ts';

const cases = certification();

async function booted(caseId: string): Promise<Tool> {
  const tool = await cases.open(caseId);
  await tool.boot();
  return tool;
}

async function reserve(tool: Tool, fields = {}, query = ''): Promise<Record<string, unknown>> {
  const expiryDate = new Date(Date.now() + 3_600_000).toISOString();
  return tool.send('ReserveNow', { connectorId: 1, idTag: TAGS.valid, expiryDate, ...fields }, query);
}

/** The manager knows that the station will reject it, but certification requires the request. */
const SKIP_RULES = '?skipRules=true';

/** Sends ReserveNow, which is accepted, and the status Reserved; returns the reservation's id. */
async function reserved(
  tool: Tool,
  fields: { connectorId?: number; parentIdTag?: string; expiryDate?: string } = {},
): Promise<number> {
  expect(await reserve(tool, fields)).toMatchObject({ response: { status: 'Accepted' } });
  // Connector 0 has no status Reserved (1.6 §4.9): the station reports it for the connector that it keeps free.
  if (fields.connectorId === 0) await tool.station.connector(1).setStatus('Reserved');
  await eventually(async () => {
    const { connectors } = (await tool.shown()) as { connectors: { connectorId: number; status: string }[] };
    expect(connectors.find((one) => one.connectorId === 1)?.status).toBe('Reserved');
  });
  const [sent] = tool.sentByCsms('ReserveNow');
  expect(sent).toMatchObject({ connectorId: 1, idTag: TAGS.valid, ...fields });
  return sent?.reservationId ?? 0;
}

async function states(tool: Tool): Promise<unknown[]> {
  return (await tool.listed('/reservations')).map(({ state }) => state);
}

test('TC_046_CSMS Reservation of a Connector - Transaction', async () => {
  const tool = await booted('TC_046');
  const reservationId = await reserved(tool);
  expect(await states(tool)).toEqual(['active']);
  const transactionId = await tool.charge({ reservationId });
  expect(await tool.listed('/reservations')).toMatchObject([{ reservationId, state: 'used', transactionId }]);
});

test('TC_047_CSMS Reservation of a Connector - Expire', async () => {
  const tool = await booted('TC_047');
  await reserved(tool, { expiryDate: new Date(Date.now() + 1500).toISOString() });
  await eventually(() => expect(tool.station.connector(1).status).toBe('Available'));
  await eventually(async () => expect(await states(tool)).toEqual(['expired']));
});

test.each([
  ['TC_048_1_CSMS Reservation of a Connector - Faulted', 'TC_048_1', 'Faulted'],
  ['TC_048_4_CSMS Reservation of a Connector - Rejected', 'TC_048_4', 'Rejected'],
])('%s', async (_name, caseId, status) => {
  const tool = await booted(caseId);
  tool.station.answers.next('ReserveNow', { response: { status } });
  expect(await reserve(tool)).toMatchObject({ response: { status } });
  expect(await states(tool)).toEqual(['refused']);
});

test('TC_048_2_CSMS Reservation of a Connector - Occupied', async () => {
  const tool = await booted('TC_048_2');
  await tool.station.connector(1).plugIn();
  expect(await reserve(tool, {}, SKIP_RULES)).toMatchObject({ response: { status: 'Occupied' } });
  expect(await states(tool)).toEqual(['refused']);
});

test('TC_048_3_CSMS Reservation of a Connector - Unavailable', async () => {
  const tool = await booted('TC_048_3');
  const off = { connectorId: 1, type: 'Inoperative' };
  expect(await tool.send('ChangeAvailability', off)).toMatchObject({ response: { status: 'Accepted' } });
  expect(tool.sentByCsms('ChangeAvailability')).toEqual([off]);
  await eventually(() => expect(tool.station.connector(1).status).toBe('Unavailable'));
  expect(await reserve(tool, {}, SKIP_RULES)).toMatchObject({ response: { status: 'Unavailable' } });
  expect(await states(tool)).toEqual(['refused']);
});

test('TC_049_CSMS Reservation of a Charge Point - Transaction', async () => {
  const tool = await booted('TC_049');
  await reserved(tool, { connectorId: 0 });
  expect(await states(tool)).toEqual(['active']);
});

test('TC_051_CSMS Cancel Reservation', async () => {
  const tool = await booted('TC_051');
  const reservationId = await reserved(tool);
  expect(await tool.send('CancelReservation', { reservationId })).toMatchObject({
    response: { status: 'Accepted' },
  });
  expect(tool.sentByCsms('CancelReservation')).toEqual([{ reservationId }]);
  await eventually(() => expect(tool.station.connector(1).status).toBe('Available'));
  expect(await states(tool)).toEqual(['cancelled']);
});

test('TC_052_CSMS Cancel Reservation - Rejected', async () => {
  const tool = await booted('TC_052');
  const reservationId = await reserved(tool);
  tool.station.answers.next('CancelReservation', { response: { status: 'Rejected' } });
  expect(await tool.send('CancelReservation', { reservationId })).toMatchObject({
    status: 'answered',
    response: { status: 'Rejected' },
  });
  expect(await states(tool)).not.toEqual(['active']);
});

test('TC_053_CSMS Use a reserved Connector with parentIdTag', async () => {
  const tool = await booted('TC_053');
  const reservationId = await reserved(tool, { parentIdTag: TAGS.parent });
  const transactionId = await tool.charge({ idTag: TAGS.other, reservationId });
  expect(tool.answersOfCsms('Authorize')).toMatchObject([{ idTagInfo: { parentIdTag: TAGS.parent } }]);
  expect(tool.answersOfCsms('StartTransaction')).toMatchObject([{ idTagInfo: { parentIdTag: TAGS.parent } }]);
  expect(await tool.listed('/reservations')).toMatchObject([{ state: 'used', transactionId }]);
});
