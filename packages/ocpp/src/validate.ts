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
import { repairPayload } from './tolerance.ts';
import type { RepairRequest } from './tolerance.ts';

export interface Reading<P> {
  payload: P;
  /** Faults of the payload, as sentences for the log. */
  defects: string[];
}

// Not allErrors: a single frame could make ajv collect half a million errors.
const ajv = new Ajv({
  strict: true,
  verbose: true,
  multipleOfPrecision: MULTIPLE_OF_PRECISION,
  formats: FORMATS,
  // A test checks the schemas. Compiling the meta-schema would take as long as compiling ten of them.
  meta: false,
  validateSchema: false,
});

const validators = new WeakMap<Schema, ValidateFunction>();

/** Compiled at first use: compiling all of them would delay the start by a tenth of a second. */
function validatorOf(schema: Schema): ValidateFunction {
  const known = validators.get(schema);
  if (known) return known;
  const validator = ajv.compile(schema);
  validators.set(schema, validator);
  return validator;
}

/** Strict check for messages that Evander sends (G.1). Throws an OcppError that names the field and the fault. */
export function checkPayload(action: Action, kind: 'request' | 'response', payload: unknown): void {
  checkBySchema(SCHEMAS[action][kind], payload);
}

/** Strict check against any of the schemas; throws like checkPayload. */
export function checkBySchema(schema: Schema, payload: unknown): void {
  const validate = validatorOf(schema);
  if (!validate(payload)) throw strictError(validate.errors?.[0]);
}

/**
 * Tolerant reading of stations' messages (G.1). Returns a valid payload unchanged, and otherwise a copy with all usable parts. An
 * enumeration may then have an undeclared value, and a text may exceed its length.
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

/** Tolerant reading by any of the schemas; throws like readPayload. */
export function readBySchema(request: RepairRequest): Reading<unknown> {
  if (validatorOf(request.schema)(request.payload)) return { payload: request.payload, defects: [] };
  return repairPayload(request);
}

function strictError(error: ErrorObject | undefined): OcppError {
  if (!error || !isKnown(error.keyword))
    return new OcppError('GenericError', 'the payload violates its schema');
  const params = error.params as { missingProperty?: string; additionalProperty?: string };
  const property = params.missingProperty ?? params.additionalProperty;
  const parent = readPointer(error.instancePath);
  const path = property === undefined ? parent : pathOf(parent, property);
  return faultError({ path, keyword: error.keyword, expected: error.schema, found: error.data });
}

function isKnown(keyword: string): keyword is Keyword {
  return Object.hasOwn(RULES, keyword);
}

/** Converts `/meterValue/0/timestamp` to `meterValue[0].timestamp`; no property name needs unescaping. */
function readPointer(pointer: string): string {
  return pointer
    .slice(1)
    .replace(/\/(\d+)(?=\/|$)/g, '[$1]')
    .replaceAll('/', '.');
}
