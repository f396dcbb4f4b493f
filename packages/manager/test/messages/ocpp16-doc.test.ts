import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { STORED } from '../../gen/stored.ts';
import { writeOcpp16Doc } from '../../gen/ocpp16-doc.ts';
import { openApi } from '../http/harness.ts';
import type { TestApi } from '../http/harness.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

test('docs/ocpp16.md has all 39 messages, each with its test, and is up to date', () => {
  const text = readFileSync(new URL('../../../../docs/ocpp16.md', import.meta.url), 'utf8');
  expect(text).toBe(writeOcpp16Doc());
  expect(text).toContain('39 of 39');
});

test('every route that docs/ocpp16.md names exists', async () => {
  const { body } = await api.send('GET', '/openapi.json', undefined, null);
  for (const { at } of Object.values(STORED))
    for (const route of at) expect(Object.keys(body.paths)).toContain(`/api/v1${route}`);
});
