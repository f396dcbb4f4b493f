import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { KEYS, openApi } from '../http/harness.ts';
import type { TestApi } from '../http/harness.ts';
import { isMeantToBeOpen, pathOf } from '../http/route-walk.ts';
import { readDescription } from './schema-check.ts';

interface Schema {
  $ref?: string;
  type?: string | string[];
  required?: string[];
  minProperties?: number;
  additionalProperties?: unknown;
  properties?: Record<string, Schema>;
  items?: Schema;
}
interface Operation {
  route: string;
  method: string;
  path: string;
  parameters: { name: string; in: string; schema: { type?: string; maximum?: number; minimum?: number } }[];
  requestBody?: { required: boolean; content: Record<string, { schema: Schema }> };
  responses: Record<string, object>;
}

let api: TestApi;
let operations: Operation[];
let schemas: Record<string, Schema>;
beforeAll(async () => {
  api = await openApi();
  const { document } = await readDescription(api);
  schemas = document.components.schemas as Record<string, Schema>;
  operations = Object.entries(document['paths'] as Record<string, Record<string, Operation>>).flatMap(
    ([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        ...operation,
        parameters: operation.parameters ?? [],
        route: `${method} ${path}`,
        method: method.toUpperCase(),
        path,
      })),
  );
});
afterAll(() => api.close());

function named({ $ref = '', ...schema }: Schema): Schema {
  return schemas[$ref.split('/').at(-1) ?? ''] ?? schema;
}

const UNKNOWN_UUID = '00000000-0000-4000-8000-000000000000';
const SAMPLES: Record<string, string> = {
  stationId: 'none',
  idTag: 'NONE',
  name: 'none',
  fingerprint: '0'.repeat(64),
  serialNumber: '00',
};

/** A path with valid ids that do not exist; numbers are the largest allowed. */
function unknownPath({ path, parameters }: Operation): string {
  return path.replace(/\{(\w+)\}/g, (_all, name: string) => {
    const { type, maximum } = parameters.find((one) => one.in === 'path' && one.name === name)?.schema ?? {};
    if (type === 'integer') return String(maximum);
    return SAMPLES[name] ?? UNKNOWN_UUID;
  });
}

/** A valid body, from its example. */
function exampleBody({ requestBody }: Operation): unknown {
  const schema = requestBody?.content['application/json']?.schema;
  return schema && (named(schema) as { examples?: unknown[] }).examples?.[0];
}

test('reading an unknown id gets 404, however long the id is', async () => {
  for (const operation of operations) {
    if (operation.method !== 'GET' || !operation.path.startsWith('/api/') || !operation.path.includes('{'))
      continue;
    const { status, body } = await api.send('GET', unknownPath(operation));
    expect({ route: operation.route, status, body }).toMatchObject({
      route: operation.route,
      status: 404,
      body: { detail: expect.stringMatching(/./) as unknown },
    });
  }
});

test('requests for unknown resources get one of the described responses', async () => {
  const writing = operations.filter(({ method, path }) => method !== 'GET' && path.startsWith('/api/'));
  for (const operation of writing) {
    const { status } = await api.send(operation.method, unknownPath(operation), exampleBody(operation));
    const described = Object.keys(operation.responses);
    expect({ route: operation.route, status, described }).toEqual({
      route: operation.route,
      status: expect.anything() as unknown,
      described: expect.arrayContaining([String(status)]) as unknown,
    });
  }
});

test('a missing body is an error if it is required, and only then', async () => {
  for (const operation of operations) {
    const { requestBody, route, method } = operation;
    const schema = requestBody?.content['application/json']?.schema;
    if (!requestBody || !schema) continue;
    const { required = [], minProperties = 0 } = named(schema);
    expect({ route, isRequired: requestBody.required }).toEqual({
      route,
      isRequired: required.length > 0 || minProperties > 0,
    });
    const { status, body } = await api.send(method, unknownPath(operation));
    if (requestBody.required)
      expect({ route, status, detail: body.detail }).toEqual({
        route,
        status: 400,
        detail: expect.stringContaining('the body is missing') as unknown,
      });
    else
      expect({ route, detail: String(body.detail) }).not.toMatchObject({
        detail: expect.stringMatching(/^(the )?body/) as unknown,
      });
  }
});

test('objects of bodies are closed: each property has a schema', () => {
  const open: string[] = [];
  const walk = (schema: Schema, place: string): void => {
    const { properties = {}, items, type, additionalProperties } = schema.$ref ? named(schema) : schema;
    if (type === 'object' && additionalProperties === undefined) open.push(place);
    for (const [name, one] of Object.entries(properties)) walk(one, `${place}.${name}`);
    if (items) walk(items, `${place}[]`);
  };
  for (const { requestBody, route } of operations) {
    const schema = requestBody?.content['application/json']?.schema;
    if (schema) walk(schema, route);
  }
  expect(open).toEqual([]);
});

test.each([
  [{ 'a\nb': 'x' }, 'a newline in a key'],
  [{ 'Key\n': 'x' }, 'a newline at the end of a key'],
  [{ 'a\nb': true }, 'a key and a value that are both wrong'],
  [{ '': 'x' }, 'no key'],
  [{ ['x'.repeat(51)]: 'x' }, 'a long key'],
  [{ schlüssel: 'x' }, 'a key that is not ASCII'],
  [{ HeartbeatInterval: 60 }, 'a number'],
  [{ HeartbeatInterval: true }, 'a boolean'],
  [{ HeartbeatInterval: {} }, 'an object'],
  [{ HeartbeatInterval: ['60'] }, 'a list'],
  [{ Own: 'x'.repeat(501) }, 'a long value'],
])('configuration %j is rejected for stations and groups: %s', async (values, _what) => {
  await api.send('PUT', '/api/v1/station-groups/all', { prefix: 'C' });
  for (const path of ['stations/CP1', 'station-groups/all']) {
    const { status, body } = await api.send('PUT', `/api/v1/${path}/configuration`, { values });
    expect({ path, status, field: body['field'] }).toEqual({
      path,
      status: 400,
      field: expect.stringMatching(/^values/) as unknown,
    });
  }
  expect(await api.manager.rows('SELECT FROM desired_values')).toEqual([]);
});

test('each route under a station works for a known station', async () => {
  const routes = api.routes.filter(
    (route) =>
      route.url.includes('/stations/:stationId/') && route.method === 'GET' && !isMeantToBeOpen(route),
  );
  expect(routes.length).toBeGreaterThan(15);
  for (const route of routes.filter(({ url }) => url.startsWith('/api/'))) {
    const places = { stationId: 'CP1', connectorId: '1' };
    const known = await api.send('GET', pathOf(route, places), undefined, KEYS.viewer);
    expect({ url: route.url, detail: String(known.body.detail) }).not.toMatchObject({
      detail: expect.stringContaining('station CP1 is not known') as unknown,
    });
  }
});

test.each(['TRACE', 'QUERY'])(
  '%s, which fetch cannot send, is rejected like other methods',
  async (method) => {
    const sent = request(`${api.url}/api/v1/tags`, { method }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    response.resume();
    expect([response.statusCode, response.headers.allow]).toEqual([405, 'GET, HEAD']);
  },
);
