import { Sealer } from '@evander/process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as events from '../../src/events/events.store.ts';
import * as webhooks from '../../src/webhooks/webhooks.store.ts';
import { openApi } from '../http/harness.ts';
import type { TestApi } from '../http/harness.ts';

let api: TestApi;
let guarded: TestApi;
beforeAll(async () => {
  api = await openApi();
  guarded = await openApi({ outboundPrivate: false });
});
afterAll(async () => {
  await api.close();
  await guarded.close();
});

const HOOK = { url: 'https://hooks.example/evander', kinds: ['transaction.*'], stationIds: ['CP1'] };

test('a webhook shows its secret once, and it is stored sealed', async () => {
  const made = await api.send('POST', '/api/v1/webhooks', HOOK);
  expect(made).toMatchObject({
    status: 201,
    body: { ...HOOK, active: true, waiting: 0, dead: 0, secret: expect.stringMatching(/^evw_.{43}$/) },
  });
  const { webhookId, secret } = made.body;
  const got = await api.send('GET', `/api/v1/webhooks/${String(webhookId)}`);
  expect(got.body).toMatchObject(HOOK);
  expect(JSON.stringify(got.body)).not.toContain('evw_');
  const [row] = await api.manager.rows('SELECT sealed_secret FROM webhooks WHERE webhook_id = $1', [
    webhookId,
  ]);
  const sealed = row?.sealed_secret as Buffer;
  expect(sealed.toString('latin1')).not.toContain(String(secret));
  expect(new Sealer('a secret').open(sealed)).toBe(secret);
});

test('shows how far it is behind', async () => {
  await events.sequence(api.manager.database, 10_000);
  const { body } = await api.send('POST', '/api/v1/webhooks', HOOK);
  const path = `/api/v1/webhooks/${String(body.webhookId)}`;
  expect(body.behind).toEqual({ ids: 0, seconds: 0 });
  await api.manager.rows(
    `INSERT INTO event_intake (at, kind, station_id, data)
     SELECT now() - interval '1 hour', 'security.event', 'CP1', '{}' FROM generate_series(1, 3)`,
  );
  await events.sequence(api.manager.database, 10_000);
  const { ids, seconds } = (await api.send('GET', path)).body.behind as { ids: number; seconds: number };
  expect(ids).toBe(3);
  expect(Math.abs(seconds - 3600)).toBeLessThan(120);
  // Two later events were delivered before the first.
  const newest = await events.newestId(api.manager.database);
  await api.manager.rows('UPDATE webhooks SET handled_ids = ARRAY[$2, $3]::bigint[] WHERE webhook_id = $1', [
    body.webhookId,
    newest - 1,
    newest,
  ]);
  expect((await api.send('GET', path)).body.behind).toMatchObject({ ids: 1 });
  const measured = await webhooks.behind(api.manager.database);
  api.manager.metrics.noteWebhooksBehind(measured);
  const text = await api.manager.metrics.text();
  expect(text).toContain(`evander_webhook_behind_ids{webhook="${String(body.webhookId)}"} 1`);
  await api.send('DELETE', path);
});

test('is changed field by field, listed and removed', async () => {
  const { body } = await api.send('POST', '/api/v1/webhooks', { ...HOOK, active: false });
  const path = `/api/v1/webhooks/${String(body.webhookId)}`;
  expect((await api.send('PUT', path, { kinds: null })).body).toMatchObject({
    kinds: null,
    stationIds: ['CP1'],
    active: false,
  });
  expect((await api.send('PUT', path, { active: true, url: 'http://other.example/' })).body).toMatchObject({
    active: true,
    url: 'http://other.example/',
  });
  const list = await api.send('GET', '/api/v1/webhooks?limit=1');
  const next = await api.send('GET', `/api/v1/webhooks?limit=1&cursor=${String(list.body.nextCursor)}`);
  expect([...list.body.items, ...next.body.items].at(-1)).toMatchObject({ webhookId: body.webhookId });
  expect(next.body.nextCursor).toBeNull();
  expect((await api.send('DELETE', path)).status).toBe(204);
  for (const method of ['GET', 'DELETE']) expect((await api.send(method, path)).status).toBe(404);
  expect((await api.send('PUT', path, {})).status).toBe(404);
});

test.each([
  [{}, 'url'],
  [{ url: 'ftp://x/' }, 'url'],
  [{ url: 'https://user:password@x/' }, 'url'],
  [{ url: 'http://[/' }, 'url'],
  [{ url: 'http://x/', kinds: ['transaction.began'] }, 'kinds.0'],
  [{ url: 'http://x/', kinds: [] }, 'kinds'],
  [{ url: 'http://x/', secret: 'mine' }, 'secret'],
])('%j is rejected', async (body, field) => {
  expect(await api.send('POST', '/api/v1/webhooks', body)).toMatchObject({ status: 400, body: { field } });
});

test.each([
  ['http://127.0.0.1:8080/hook', 'is at 127.0.0.1, which is not a public address'],
  ['http://localhost/hook', 'localhost is at '],
  ['http://[::1]/hook', 'is at ::1'],
  ['https://10.1.2.3/', '10.1.2.3'],
  ['http://169.254.169.254/latest', '169.254.169.254'],
  ['http://2130706433/', '127.0.0.1'],
])('a webhook to %s, which can never work, is rejected when created and changed', async (url, expected) => {
  const refusal = {
    status: 422,
    body: { field: 'url', detail: expect.stringContaining(expected) as unknown },
  };
  const made = await guarded.send('POST', '/api/v1/webhooks', { url });
  expect(made).toMatchObject(refusal);
  expect(made.body.detail).toContain('EVANDER_OUTBOUND_PRIVATE=allow');
  const { body } = await guarded.send('POST', '/api/v1/webhooks', { url: 'http://93.184.215.14/' });
  expect(await guarded.send('PUT', `/api/v1/webhooks/${String(body.webhookId)}`, { url })).toMatchObject(
    refusal,
  );
  expect(JSON.stringify((await guarded.send('GET', '/api/v1/webhooks')).body)).not.toContain(url);
  expect((await api.send('POST', '/api/v1/webhooks', { url })).status).toBe(201);
});

test('dead events are listed and can be replayed', async () => {
  const { body } = await api.send('POST', '/api/v1/webhooks', HOOK);
  const path = `/api/v1/webhooks/${String(body.webhookId)}`;
  for (const type of ['A', 'B', 'C'])
    await api.manager.rows("INSERT INTO security_events VALUES ('D1', $1, now(), true, NULL, now())", [type]);
  while ((await api.manager.rows("SELECT FROM events WHERE station_id = 'D1'")).length < 3)
    await events.sequence(api.manager.database, 100);
  await api.manager.rows(
    `INSERT INTO webhook_deliveries (webhook_id, event_id, event_at, station_id, attempts, last_error, dead_at)
     SELECT $1, id, at, station_id, 9, 'no', now() FROM events WHERE station_id = 'D1'`,
    [body.webhookId],
  );
  const page = await api.send('GET', `${path}/dead?limit=2`);
  expect(page.body.items).toMatchObject([
    { event: { kind: 'security.event', data: { type: 'A' } }, attempts: 9, lastError: 'no' },
    { event: { data: { type: 'B' } } },
  ]);
  const rest = await api.send('GET', `${path}/dead?limit=2&cursor=${String(page.body.nextCursor)}`);
  expect(rest.body.items).toHaveLength(1);
  const [first] = page.body.items as { event: { id: number } }[];
  const one = await api.send('POST', `${path}/replay`, { eventIds: [first?.event.id] });
  expect(one.body).toEqual({ replayed: 1 });
  expect((await api.send('POST', `${path}/replay`, {})).body).toEqual({ replayed: 2 });
  expect((await api.send('GET', path)).body).toMatchObject({ dead: 0, waiting: 3 });
  const unknown = '/api/v1/webhooks/00000000-0000-0000-0000-000000000000';
  expect((await api.send('GET', `${unknown}/dead`)).status).toBe(404);
  expect((await api.send('POST', `${unknown}/replay`, {})).status).toBe(404);
});
