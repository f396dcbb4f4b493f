import { OcppError } from './error-code.ts';
import type { ErrorCode } from './error-code.ts';

interface Rule {
  readonly code: ErrorCode;
  /** How tolerant reading handles a value that violates the rule: keep it unchanged or leave it out. */
  readonly lenient: 'keep' | 'drop';
}

/** Maps each violated rule (a JSON Schema keyword) to its OCPP error (ERR.3) and its handling on input (G.1). */
export const RULES = {
  type: { code: 'TypeConstraintViolation', lenient: 'drop' },
  required: { code: 'OccurenceConstraintViolation', lenient: 'drop' },
  minItems: { code: 'OccurenceConstraintViolation', lenient: 'keep' },
  maxItems: { code: 'OccurenceConstraintViolation', lenient: 'keep' },
  enum: { code: 'PropertyConstraintViolation', lenient: 'keep' },
  maxLength: { code: 'PropertyConstraintViolation', lenient: 'keep' },
  multipleOf: { code: 'PropertyConstraintViolation', lenient: 'keep' },
  minimum: { code: 'PropertyConstraintViolation', lenient: 'drop' },
  maximum: { code: 'PropertyConstraintViolation', lenient: 'drop' },
  format: { code: 'PropertyConstraintViolation', lenient: 'drop' },
  additionalProperties: { code: 'FormationViolation', lenient: 'drop' },
} as const satisfies Record<string, Rule>;

export type Keyword = keyof typeof RULES;

/** A violated rule: where, which one, the expected value and the actual value. */
export interface Fault {
  /** `meterValue[0].timestamp`; empty for the payload itself. */
  readonly path: string;
  readonly keyword: Keyword;
  readonly expected?: unknown;
  readonly found?: unknown;
}

export function faultError(fault: Fault): OcppError {
  const isPayload = fault.path === '' && fault.keyword === 'type';
  const { code } = isPayload ? RULES.additionalProperties : RULES[fault.keyword];
  return new OcppError(code, describeFault(fault));
}

/** Names the field, the fault and the expected value; shows at most the one offending value of the payload. */
export function describeFault({ path, keyword, expected, found }: Fault): string {
  const name = path === '' ? 'the payload' : path;
  switch (keyword) {
    case 'type':
      return `${name} must be ${article(String(expected))}${found === null ? ', not null' : ''}`;
    case 'required':
      return `${name} is missing`;
    case 'minItems':
      return `${name} must hold at least ${String(expected)} item(s)`;
    case 'maxItems':
      return `${name} must hold at most ${String(expected)} items`;
    case 'enum':
      return `${name} ${quote(found)} is not one of ${(expected as readonly string[]).join(', ')}`;
    case 'maxLength':
      return `${name} is longer than ${String(expected)} characters`;
    case 'multipleOf':
      return `${name} ${quote(found)} must be a multiple of ${String(expected)}`;
    case 'minimum':
      return `${name} ${quote(found)} must not be below ${String(expected)}`;
    case 'maximum':
      return `${name} ${quote(found)} must not be above ${String(expected)}`;
    case 'format':
      // A location may contain a password, a time does not.
      return `${name}${expected === 'date-time' ? ` ${quote(found)}` : ''} is not a valid ${String(expected)}`;
    case 'additionalProperties':
      return `${name} is not a property of this message`;
  }
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

function quote(value: unknown): string {
  return JSON.stringify(shorten(String(value)));
}

/** The path of a property; the station may have invented its name. */
export function pathOf(parent: string, name: string): string {
  return parent === '' ? shorten(name) : `${parent}.${shorten(name)}`;
}

/** Descriptions are sent and logged. */
function shorten(text: string): string {
  return text.length > 50 ? `${text.slice(0, 50)}…` : text;
}
