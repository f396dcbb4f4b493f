import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { SCHEMAS, TUNNEL_SCHEMAS } from '../src/index.ts';
import type { Schema } from '../src/index.ts';

// Known differences from ocpp-rpc; the rows refer to section 9 of the protocol notes.
const ONLY_OURS: Record<string, string> = {
  // S3: the text says 1..*, so Evander sends no empty list; reading tolerates one.
  'MeterValues.req.meterValue minItems 1': 'S3',
  'MeterValues.req.meterValue[].sampledValue minItems 1': 'S3',
  'StopTransaction.req.transactionData[].sampledValue minItems 1': 'S3',
  // S18: no other schema set rejects an empty chargingSchedulePeriod, but the text does.
  'GetCompositeSchedule.conf.chargingSchedule.chargingSchedulePeriod minItems 1': 'S18',
  'RemoteStartTransaction.req.chargingProfile.chargingSchedule.chargingSchedulePeriod minItems 1': 'S18',
  'SetChargingProfile.req.csChargingProfiles.chargingSchedule.chargingSchedulePeriod minItems 1': 'S18',
};
const ONLY_THEIRS: Record<string, string> = {};

interface Referring extends Schema {
  readonly $ref?: string;
  readonly definitions?: Record<string, Schema>;
  readonly properties?: { readonly [name: string]: Referring };
  readonly items?: Referring;
}

const theirs = createRequire(import.meta.url)('ocpp-rpc/lib/schemas/ocpp1_6.json') as Referring[];

const VALUES = ['type', 'maxLength', 'format', 'multipleOf', 'minItems', 'maxItems'] as const;

/** Every rule of a schema as one line, so that two schemas can be compared as sets. */
function rules(schema: Referring, path: string, definitions: Record<string, Schema> = {}): string[] {
  const inner = (child: Referring, name: string): string[] => {
    const known = definitions[child.$ref?.replace('#/definitions/', '') ?? ''];
    return rules(known ?? child, path + name, definitions);
  };
  return [
    ...VALUES.filter((rule) => schema[rule] !== undefined).map((rule) => `${path} ${rule} ${schema[rule]}`),
    ...(schema.enum ?? []).map((value) => `${path} may be ${value}`),
    ...(schema.additionalProperties === false && schema.type === 'object' ? [`${path} is closed`] : []),
    ...(schema.required ?? []).map((name) => `${path}.${name} is required`),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, child]) => inner(child, `.${name}`)),
    ...(schema.items ? inner(schema.items, '[]') : []),
  ];
}

const ourRules = Object.entries(SCHEMAS).flatMap(([action, { request, response }]) => [
  ...rules(request, `${action}.req`),
  ...rules(response, `${action}.conf`),
]);
const theirRules = theirs.flatMap((schema) =>
  rules(schema, String(schema.$id).replace('urn:', ''), schema.definitions),
);

test('the schemas match those of ocpp-rpc, except for known differences', () => {
  expect(theirRules.length).toBeGreaterThan(800);
  expect(ourRules.filter((rule) => !theirRules.includes(rule)).sort()).toEqual(Object.keys(ONLY_OURS).sort());
  expect(theirRules.filter((rule) => !ourRules.includes(rule)).sort()).toEqual(
    Object.keys(ONLY_THEIRS).sort(),
  );
});

test('no rule is duplicated', () => {
  expect(new Set(ourRules).size).toBe(ourRules.length);
});

test('the schemas are valid JSON Schema draft 7', () => {
  const ajv = new Ajv();
  const pairs = [SCHEMAS, TUNNEL_SCHEMAS.oca, TUNNEL_SCHEMAS.has2be].flatMap((set) => Object.values(set));
  expect(pairs.length).toBeGreaterThan(39);
  for (const schema of pairs.flatMap(({ request, response }) => [request, response]))
    expect([schema.title, ajv.validateSchema(schema), ajv.errors]).toEqual([schema.title, true, null]);
});
