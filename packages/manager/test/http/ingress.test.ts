import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { openApi } from './harness.ts';
import type { TestApi } from './harness.ts';

/** For Prometheus, the orchestrator and gateways; `/` only redirects to /docs. */
const INSIDE = ['/metrics', '/health', '/gateway'];
const VALUES = new URL('../../../../deploy/helm/evander/values.yaml', import.meta.url);

let api: TestApi;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

const isUnder = (url: string, paths: string[]): boolean =>
  paths.some((path) => url === path || url.startsWith(`${path}/`));

test("the chart's ingress publishes every route of the API except internal ones", () => {
  const [, list = ''] = /^ {4}paths: \[(.*)\]$/m.exec(readFileSync(VALUES, 'utf8')) ?? [];
  const paths = list.split(', ');
  const urls = [...new Set(api.routes.map(({ url }) => url))].filter((url) => !['/', '*'].includes(url));
  expect(urls.filter((url) => isUnder(url, INSIDE)).length).toBeGreaterThan(3);
  expect(urls.filter((url) => isUnder(url, paths) === isUnder(url, INSIDE))).toEqual([]);
});
