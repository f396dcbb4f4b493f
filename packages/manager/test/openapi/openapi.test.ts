import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openApi } from '../http/harness.ts';
import type { TestApi } from '../http/harness.ts';
import { readDescription } from './schema-check.ts';
import type { Document as Described, SchemaCheck } from './schema-check.ts';

interface Content {
  content?: Record<string, { schema: { $ref?: string } }>;
}
interface Operation {
  operationId: string;
  summary: string;
  description?: string;
  tags: string[];
  security: object[];
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema: object }[];
  requestBody?: Content;
  responses: Record<string, Content & { $ref?: string; description?: string }>;
}
interface Document extends Described {
  paths: Record<string, Record<string, Operation>>;
}

let api: TestApi;
let document: Document;
let check: SchemaCheck;
beforeAll(async () => {
  api = await openApi();
  const described = await readDescription(api);
  document = described.document as Document;
  check = described.check;
});
afterAll(() => api.close());

function operations(): [string, Operation][] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method} ${path}`,
      operation,
    ]),
  );
}

test('the document is OpenAPI 3.1 with a bearer key', () => {
  expect(document).toMatchObject({
    openapi: '3.1.0',
    servers: [{ url: '/' }],
    info: { title: 'Evander', version: expect.any(String) as unknown },
    components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
  });
  expect(JSON.stringify(document)).not.toMatch(/"nullable"|"x-/);
  expect(document.paths['/api/v1/api-keys/{keyId}']?.['delete']?.responses).toHaveProperty('409');
});

test('every operation has a unique name, a summary, a tag, its path parameters and described responses', () => {
  const names = operations().map(([, { operationId }]) => operationId);
  expect(new Set(names).size).toBe(names.length);
  for (const [route, { summary, tags, parameters = [], responses }] of operations()) {
    expect({ route, summary }).toEqual({ route, summary: expect.stringMatching(/\w/) as unknown });
    expect(tags).toHaveLength(1);
    const inPath = parameters.filter((parameter) => parameter.in === 'path');
    expect(inPath.map(({ name }) => `{${name}}`)).toEqual(route.match(/\{\w+\}/g) ?? []);
    expect(inPath.every(({ required }) => required === true)).toBe(true);
    for (const [status, { $ref, description }] of Object.entries(responses)) {
      expect(status).toMatch(/^[1-5]\d\d$/);
      expect($ref ?? description).toMatch(/\w/);
      expect({ route, status, description }).not.toMatchObject({ description: 'Default Response' });
    }
  }
});

test('every parameter is described', () => {
  for (const [route, { parameters = [] }] of operations())
    for (const { name, description = '' } of parameters)
      expect({ route, name, description }).toEqual({
        route,
        name,
        description: expect.stringMatching(/\w/) as unknown,
      });
});

test('every body and every response is a named schema', () => {
  for (const [route, { requestBody = {}, responses }] of operations())
    for (const { content = {} } of [requestBody, ...Object.values(responses)])
      for (const [type, { schema }] of Object.entries(content))
        expect({ route, type, schema }).toEqual({
          route,
          type,
          schema: { $ref: expect.stringMatching(/^#\/components\/schemas\/\w+$/) as unknown },
        });
});

test('every named schema has a valid example', async () => {
  const { schemas } = document.components;
  expect(Object.keys(schemas).length).toBeGreaterThan(100);
  for (const [name, { examples = [] }] of Object.entries(schemas)) {
    expect({ name, examples: examples.length }).not.toEqual({ name, examples: 0 });
    for (const example of examples)
      expect({ name, fault: await check(name, example) }).toEqual({ name, fault: null });
  }
});

test('the description of an operation contains its own text and the required role', () => {
  const { description } = document.paths['/api/v1/stations/{stationId}/configuration']?.['put'] ?? {};
  expect(description).toMatch(/^Responds .*Needs a key with the role operator/);
});

test('every operation under /api/v1 requires a key and describes its role and its problems', () => {
  for (const [route, { security, description, responses }] of operations()) {
    if (!route.includes('/api/v1')) {
      expect(security).toEqual([]);
      continue;
    }
    expect(security).toEqual([{ apiKey: [] }]);
    expect(description).toMatch(/role (viewer|operator|admin)/);
    for (const status of ['401', '403', '500', '503']) expect(responses).toHaveProperty(status);
    if (route.includes('{')) expect(responses).toHaveProperty('404');
  }
});

test('every reference can be resolved', () => {
  const references = JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g);
  for (const [, path = ''] of references) {
    const target = path
      .split('/')
      .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], document);
    expect(target).toBeDefined();
  }
});

test('the page to try it is served, with its assets', async () => {
  const page = await fetch(`${api.url}/docs`);
  expect(page.headers.get('content-type')).toContain('text/html');
  const html = await page.text();
  expect(html).toContain('<title>Evander API</title>');
  const [, script = ''] = /src="([^"]*swagger-ui-bundle\.js)"/.exec(html) ?? [];
  expect((await fetch(new URL(script, page.url))).status).toBe(200);
});
