import { coerce, nearestBound } from './coerce.ts';
import { parseDateTime } from './date-time.ts';
import { Defects } from './defects.ts';
import { faultError, pathOf, RULES } from './fault.ts';
import type { Fault } from './fault.ts';
import { isJsonObject } from './json-object.ts';
import type { JsonObject } from './json-object.ts';
import { violatedRules, hasType } from './rules.ts';
import type { Schema } from './schema.ts';

/** In UTF-8. Six such texts fit into a PostgreSQL index entry of 2704 bytes. OCPP's longest short text has 255 characters. */
const MAX_STORED_BYTES = 300;

/** A value's position in the payload. */
interface Place {
  readonly schema: Schema;
  /** The property name; empty for the payload itself and for list items. */
  readonly name: string;
  readonly path: string;
  /** A fault here costs only the value itself. */
  readonly isTolerant: boolean;
  readonly isRequired: boolean;
  /** Part of a message that must not be rejected. */
  readonly isTransaction: boolean;
}

/** Either the usable part of a value, or the reason why there is none. */
type Repaired = { readonly value: unknown } | { readonly fault: Fault };

export interface RepairRequest {
  readonly schema: Schema;
  readonly payload: unknown;
  /** The whole payload is tolerant, not only its optional properties. */
  readonly isLenient: boolean;
  /** A transaction message must not be rejected for a number that does not fit its database column (DESIGN.md, invariant 3). */
  readonly isTransaction?: boolean;
}

/** Builds a new payload from the usable parts. Throws an OcppError when they are not enough (G.1, ERR.4). */
export function repairPayload({ schema, payload, isLenient, isTransaction = false }: RepairRequest): {
  payload: unknown;
  defects: string[];
} {
  const defects = new Defects();
  const root = { schema, name: '', path: '', isTolerant: isLenient, isRequired: true, isTransaction };
  const repaired = repair(payload, root, defects);
  if ('fault' in repaired) throw faultError(repaired.fault);
  return { payload: repaired.value, defects: defects.list() };
}

function repair(received: unknown, place: Place, defects: Defects): Repaired {
  const { schema, path, isTolerant } = place;
  let value = received;
  if (!hasType(value, schema.type)) {
    const fault = typeFault(value, place);
    value = isTolerant ? coerce(value, schema, place.name) : undefined;
    if (value === undefined) return { fault };
    defects.add(fault, 'converted');
  }
  for (const fault of violatedRules(value, schema, path)) {
    if (!isReadableTime(fault) && !(isTolerant && isKept(fault, place))) return { fault };
    const kept = storable(value, schema);
    defects.add(fault, kept === value ? 'kept' : `cut to ${MAX_STORED_BYTES} bytes`);
    value = kept;
  }
  if (Array.isArray(value)) return repairArray(value, place, defects);
  return isJsonObject(value) ? repairObject(value, place, defects) : { value };
}

function typeFault(found: unknown, { schema, path }: Place): Fault {
  return { path, keyword: 'type', expected: schema.type, found };
}

/**
 * Short texts (tags, keys, statuses, serial numbers) are part of index entries, whose size PostgreSQL limits: longer ones are truncated.
 */
function storable(value: unknown, { enum: values, maxLength = Infinity }: Schema): unknown {
  if (typeof value !== 'string' || (values === undefined && maxLength > MAX_STORED_BYTES)) return value;
  return value.slice(0, new TextEncoder().encodeInto(value, new Uint8Array(MAX_STORED_BYTES)).read);
}

/** The innermost optional part is left out, which need not be the invalid one. */
function leftOut(path: string, fault: Fault): string {
  return path === fault.path ? 'left out' : `${path} left out`;
}

/** An unreadable required time is kept: the caller uses the time of receipt instead. An empty text is not an enumeration value. */
function isKept({ keyword, expected, found }: Fault, { isRequired, schema }: Place): boolean {
  if (keyword === 'format') return expected === 'date-time' && isRequired;
  if (keyword === 'enum' && found === '' && schema.default !== undefined) return false;
  return RULES[keyword].lenient === 'keep';
}

/** `2013-01-01T00:00Z` violates RFC 3339 but is readable (G.5). */
function isReadableTime({ keyword, expected, found }: Fault): boolean {
  return keyword === 'format' && expected === 'date-time' && parseDateTime(String(found)) !== undefined;
}

function repairArray(items: unknown[], place: Place, defects: Defects): Repaired {
  const { schema, path, isTolerant } = place;
  if (!schema.items) return { value: items };
  const usable: unknown[] = [];
  for (const [index, item] of items.entries()) {
    const inner = { ...place, schema: schema.items, name: '', path: `${path}[${index}]`, isRequired: false };
    const repaired = repair(item, inner, defects);
    if ('value' in repaired) usable.push(repaired.value);
    else if (isTolerant) defects.add(repaired.fault, leftOut(`${path}[${index}]`, repaired.fault));
    else return repaired;
  }
  return { value: usable };
}

function repairObject(object: JsonObject, place: Place, defects: Defects): Repaired {
  const usable: JsonObject = {};
  for (const name of Object.keys(object)) {
    const child = placeOf(name, place);
    const value = object[name];
    if (!child) defects.add({ path: pathOf(place.path, name), keyword: 'additionalProperties' }, 'left out');
    else if (isAbsent(value, child)) {
      if (value === null) defects.add(typeFault(value, child), 'left out');
    } else {
      const repaired = repair(value, child, defects);
      if ('value' in repaired) usable[name] = repaired.value;
      else if (!child.isRequired) defects.add(repaired.fault, leftOut(child.path, repaired.fault));
      else {
        const substitute = substituteOf(value, child);
        if (substitute === undefined) return repaired;
        defects.add(repaired.fault, readAs(substitute));
        usable[name] = substitute;
      }
    }
  }
  return addMissing(usable, place, defects);
}

type Substitute = number | string | never[];

function readAs(substitute: Substitute): string {
  return Array.isArray(substitute) ? 'read as an empty list' : `read as ${substitute}`;
}

/** The substitute for an unusable required value; undefined if there is none. */
function substituteOf(value: unknown, { schema, isTolerant, isTransaction }: Place): Substitute | undefined {
  if (isTransaction && schema.type === 'integer') return nearestBound(value, schema);
  return isTolerant && value === '' ? schema.default : undefined;
}

/** `null` means absent (G.3), unless the value is required and has no substitute. */
function isAbsent(value: unknown, child: Place): boolean {
  return value === undefined || (value === null && (!child.isRequired || absentValue(child) !== undefined));
}

/** The value for an absent required property: its schema's default, or an empty list (S3). */
function absentValue({ schema, isTolerant }: Place): Substitute | undefined {
  if (!isTolerant) return undefined;
  return schema.type === 'array' ? [] : schema.default;
}

function addMissing(usable: JsonObject, place: Place, defects: Defects): Repaired {
  for (const name of place.schema.required ?? []) {
    if (Object.hasOwn(usable, name)) continue;
    const child = placeOf(name, place);
    const fault: Fault = { path: pathOf(place.path, name), keyword: 'required' };
    const value = child && absentValue(child);
    if (value === undefined) return { fault };
    usable[name] = value;
    defects.add(fault, readAs(value));
  }
  return { value: usable };
}

function placeOf(name: string, place: Place): Place | undefined {
  const { path, isTolerant, isTransaction } = place;
  const { properties = {}, required = [] } = place.schema;
  const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
  if (!property) return undefined;
  const isRequired = required.includes(name);
  return {
    schema: property,
    name,
    path: pathOf(path, name),
    isTolerant: isTolerant || !isRequired,
    isRequired,
    isTransaction,
  };
}
