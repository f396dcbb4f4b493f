import { Ajv } from 'ajv';
import type { ErrorObject, ValidateFunction } from 'ajv';
import { ACTIONS } from './actions.ts';
import type { Action } from './actions.ts';
import { OcppError } from './error-code.ts';
import { faultError, pathOf, RULES } from './fault.ts';
import type { Keyword } from './fault.ts';
import type { Requests, Responses } from './payloads.gen.ts';
import { FORMATS, MULTIPLE_OF_PRECISION } from './rules.ts';
import type { Schema } from './schema.ts';
import { SCHEMAS } from './schemas.gen.ts';
import { mendPayload } from './tolerance.ts';
import type { Mend } from './tolerance.ts';

export interface Reading<P> {
  payload: P;
  /** What was wrong with the payload, in sentences for the log. */
  defects: string[];
}

// Not allErrors: one frame could make ajv collect half a million of them.
const ajv = new Ajv({
  strict: true,
  verbose: true,
  multipleOfPrecision: MULTIPLE_OF_PRECISION,
  formats: FORMATS,
  // A test checks our schemas. Compiling the meta-schema at the first use would take as long as compiling ten of ours.
  meta: false,
  validateSchema: false,
});

const validators = new WeakMap<Schema, ValidateFunction>();

/** Compiled at first use: all together would take a tenth of a second at the start. */
function validatorOf(schema: Schema): ValidateFunction {
  const known = validators.get(schema);
  if (known) return known;
  const validator = ajv.compile(schema);
  validators.set(schema, validator);
  return validator;
}

/** Strict, for what we send (G.1). Throws an OcppError that names the field and the fault. */
export function checkPayload(action: Action, kind: 'request' | 'response', payload: unknown): void {
  checkBySchema(SCHEMAS[action][kind], payload);
}

/** Strict, by any schema of ours; throws as checkPayload does. */
export function checkBySchema(schema: Schema, payload: unknown): void {
  const validate = validatorOf(schema);
  if (!validate(payload)) throw strictError(validate.errors?.[0]);
}

/**
 * Tolerant, for what stations send (G.1). A payload without a fault is returned as it is; of any other a
 * copy with all that is usable. An enumeration may then hold a value, and a text a length, beyond its type.
 */
export function readPayload<A extends Action>(
  action: A,
  kind: 'request',
  payload: unknown,
): Reading<Requests[A]>;
export function readPayload<A extends Action>(
  action: A,
  kind: 'response',
  payload: unknown,
): Reading<Responses[A]>;
export function readPayload(
  action: Action,
  kind: 'request' | 'response',
  payload: unknown,
): Reading<unknown> {
  return readBySchema({
    schema: SCHEMAS[action][kind],
    payload,
    isLenient: ACTIONS[action].lenient === true,
    isTransaction: ACTIONS[action].transaction === true,
  });
}

/** Tolerant, by any schema of ours; throws as readPayload does. */
export function readBySchema(mend: Mend): Reading<unknown> {
  if (validatorOf(mend.schema)(mend.payload)) return { payload: mend.payload, defects: [] };
  return mendPayload(mend);
}

function strictError(error: ErrorObject | undefined): OcppError {
  if (!error || !isKnown(error.keyword))
    return new OcppError('GenericError', 'the payload breaks its schema');
  const params = error.params as { missingProperty?: string; additionalProperty?: string };
  const property = params.missingProperty ?? params.additionalProperty;
  const parent = readPointer(error.instancePath);
  const path = property === undefined ? parent : pathOf(parent, property);
  return faultError({ path, keyword: error.keyword, expected: error.schema, found: error.data });
}

function isKnown(keyword: string): keyword is Keyword {
  return Object.hasOwn(RULES, keyword);
}

/** `/meterValue/0/timestamp` as `meterValue[0].timestamp`; no name of ours needs unescaping. */
function readPointer(pointer: string): string {
  return pointer
    .slice(1)
    .replace(/\/(\d+)(?=\/|$)/g, '[$1]')
    .replaceAll('/', '.');
}
