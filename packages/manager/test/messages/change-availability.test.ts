import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openApi } from '../http/harness.ts';
import type { TestApi } from '../http/harness.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
  for (const connectorId of [0, 1, 2])
    await api.manager.ask('StatusNotification', { connectorId, status: 'Available', errorCode: 'NoError' });
});
afterAll(() => api.close());

interface StationBody {
  availability: unknown;
  connectors: { connectorId: number; status: string; availability: unknown }[];
}

async function shown(): Promise<StationBody> {
  return (await api.send('GET', '/api/v1/stations/CP1')).body as unknown as StationBody;
}

test('ChangeAvailability: request and answer are shown next to the reported status', async () => {
  expect((await shown()).connectors[1]).toMatchObject({ availability: null });
  await api.manager.command(
    'ChangeAvailability',
    { connectorId: 1, type: 'Inoperative' },
    { status: 'Scheduled' },
  );
  expect((await shown()).connectors[1]).toMatchObject({
    status: 'Available',
    availability: { requested: 'Inoperative', answer: 'Scheduled' },
  });
  await api.manager.ask('StatusNotification', {
    connectorId: 1,
    status: 'Unavailable',
    errorCode: 'NoError',
  });
  expect((await shown()).connectors[1]).toMatchObject({
    status: 'Unavailable',
    availability: { requested: 'Inoperative' },
  });
});

test('ChangeAvailability of connector 0 applies to the station and all its connectors', async () => {
  await api.manager.command(
    'ChangeAvailability',
    { connectorId: 0, type: 'Operative' },
    { status: 'Accepted' },
  );
  const { availability, connectors } = await shown();
  for (const one of [availability, ...connectors.map((connector) => connector.availability)])
    expect(one).toMatchObject({ requested: 'Operative', answer: 'Accepted' });
});

test('ChangeAvailability of a connector below 0 breaks a rule', async () => {
  await expect(
    api.manager.command('ChangeAvailability', { connectorId: -1, type: 'Operative' }),
  ).rejects.toMatchObject({ rule: 'ChangeAvailability.1' });
});
