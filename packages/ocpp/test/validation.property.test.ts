import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { ACTIONS, checkPayload, isDateTime, OcppError, readPayload, SCHEMAS } from '../src/index.ts';
import type { Action, Schema } from '../src/index.ts';
import { repairPayload } from '../src/tolerance.ts';

const KINDS = ['request', 'response'] as const;
type Kind = (typeof KINDS)[number];

const cases = (Object.keys(ACTIONS) as Action[]).flatMap((action) =>
  KINDS.map((kind): [Action, Kind] => [action, kind]),
);

/** Valid payloads of a schema. */
function valid(schema: Schema): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case 'object':
      return fc.record(
        Object.fromEntries(
          Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, valid(inner)]),
        ),
        { requiredKeys: [...(schema.required ?? [])], noNullPrototype: true },
      );
    case 'array':
      return fc.array(valid(schema.items!), { minLength: schema.minItems ?? 0, maxLength: 3 });
    case 'integer':
      return fc.integer({ min: schema.minimum!, max: schema.maximum! });
    case 'number':
      return fc.integer({ min: 0, max: 1_000_000 }).map((tenths) => tenths / 10);
    case 'boolean':
      return fc.boolean();
    case 'string':
      return validText(schema);
  }
}

function validText({ enum: allowed, format, maxLength = 100 }: Schema): fc.Arbitrary<string> {
  if (allowed) return fc.constantFrom(...allowed);
  if (format === 'uri') return fc.constant('ftp://example.org/a');
  if (format === 'date-time') return fc.constantFrom('2024-05-01T12:00:00Z', '1970-01-01T00:00:00.000+01:00');
  return fc.string({ unit: 'binary', maxLength });
}

const oddNumber = fc.constantFrom(-(2 ** 63), 2 ** 31, 2 ** 53 + 2, 1e30, 1.5, -0.5, '1', '1e30', '');

/** The same with one fault: a part replaced by any JSON, removed or added. */
function mutated(payload: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc
    .tuple(
      payload,
      fc.nat(),
      fc.oneof(fc.jsonValue(), oddNumber),
      fc.constantFrom('replace', 'remove', 'add'),
    )
    .map(([value, pick, junk, how]) => {
      const root = { payload: structuredClone(value) };
      const places = placesIn(root);
      const [holder, key] = places[pick % places.length]!;
      if (how === 'replace') holder[key] = junk;
      else if (how === 'remove') delete holder[key];
      else if (isHolder(holder[key])) holder[key]['extra'] = junk;
      return JSON.parse(JSON.stringify(root.payload ?? null)) as unknown;
    });
}

function isHolder(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function placesIn(holder: Record<string, unknown>): [Record<string, unknown>, string][] {
  return Object.entries(holder).flatMap(([key, value]) => [
    [holder, key] as [Record<string, unknown>, string],
    ...(isHolder(value) ? placesIn(value) : []),
  ]);
}

function tryRead(
  action: Action,
  kind: Kind,
  payload: unknown,
): { payload: unknown; defects: string[] } | undefined {
  try {
    return readPayload(action, kind as 'request', payload);
  } catch (error) {
    if (error instanceof OcppError) return undefined;
    throw error;
  }
}

function isStrict(action: Action, kind: Kind, payload: unknown): boolean {
  try {
    checkPayload(action, kind, payload);
    return true;
  } catch (error) {
    if (error instanceof OcppError) return false;
    throw error;
  }
}

describe.each(cases)('%s %s', (action, kind) => {
  const schema = SCHEMAS[action][kind];
  const payloads = fc.oneof(
    valid(schema),
    mutated(valid(schema)),
    mutated(mutated(valid(schema))),
    fc.jsonValue(),
  );
  const options = { numRuns: 150 };

  test('a valid payload passes both checks unchanged', () => {
    fc.assert(
      fc.property(valid(schema), (payload) => {
        checkPayload(action, kind, payload);
        expect(readPayload(action, kind as 'request', payload).payload).toBe(payload);
      }),
      options,
    );
  });

  test('only an OcppError is thrown, and the argument is not modified', () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        const before = JSON.stringify(payload);
        const reading = tryRead(action, kind, payload);
        expect(JSON.stringify(payload)).toBe(before);
        if (isStrict(action, kind, payload)) expect(reading?.defects).toEqual([]);
        else expect(reading?.defects).not.toEqual([]);
      }),
      options,
    );
  });

  test('reading is idempotent', () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        const once = tryRead(action, kind, payload);
        if (once) expect(tryRead(action, kind, once.payload)?.payload).toEqual(once.payload);
      }),
      options,
    );
  });

  test('the result has the promised shape', () => {
    // All rules except those whose violations are kept.
    const shape = new Ajv({ formats: { 'date-time': true, uri: true } }).compile(withoutKeptRules(schema));
    fc.assert(
      fc.property(payloads, (payload) => {
        const reading = tryRead(action, kind, payload);
        if (reading) expect([shape(reading.payload), shape.errors]).toEqual([true, null]);
      }),
      options,
    );
  });

  test('tolerant reading finds a fault exactly when ajv does', () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        let isClean: boolean;
        try {
          isClean = repairPayload({ schema, payload, isLenient: false }).defects.length === 0;
        } catch {
          isClean = false;
        }
        expect(isClean).toBe(isStrict(action, kind, payload));
      }),
      options,
    );
  });
});

function withoutKeptRules({
  enum: _enum,
  maxLength: _length,
  minItems: _items,
  multipleOf: _step,
  ...schema
}: Schema): Schema {
  const { properties, items } = schema;
  return {
    ...schema,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, inner]) => [name, withoutKeptRules(inner)]),
      ),
    }),
    ...(items && { items: withoutKeptRules(items) }),
  };
}

test('the generator of valid payloads produces valid times', () => {
  expect(isDateTime('1970-01-01T00:00:00.000+01:00')).toBe(true);
});
