import { coerce, nearestBound } from './coerce.ts';
import { parseDateTime } from './date-time.ts';
import { Defects } from './defects.ts';
import { faultError, pathOf, RULES } from './fault.ts';
import type { Fault } from './fault.ts';
import { isJsonObject } from './json-object.ts';
import type { JsonObject } from './json-object.ts';
import { brokenRules, hasType } from './rules.ts';
import type { Schema } from './schema.ts';

/** In UTF-8. Six such texts fit into an entry of a PostgreSQL index, which takes 2704 bytes. The longest of OCPP's short texts has 255. */
const MAX_KEPT_BYTES = 300;

/** A value's place in the payload. */
interface Place {
  readonly schema: Schema;
  /** The property's own name; empty for the payload itself and for what is in a list. */
  readonly name: string;
  readonly path: string;
  /** A fault costs no more here than the value itself. */
  readonly isTolerant: boolean;
  readonly isRequired: boolean;
  /** In a message that must not be refused. */
  readonly isTransaction: boolean;
}

/** Either what can be used of a value, or why nothing can. */
type Mended = { readonly value: unknown } | { readonly fault: Fault };

export interface Mend {
  readonly schema: Schema;
  readonly payload: unknown;
  /** The whole payload is a tolerant place, not only its optional properties. */
  readonly isLenient: boolean;
  /** A transaction message: no number in it that our columns cannot hold is a reason to refuse it (DESIGN.md, invariant 3). */
  readonly isTransaction?: boolean;
}

/** Makes a new payload of whatever is usable; throws an OcppError where that is not enough (G.1, ERR.4). */
export function mendPayload({ schema, payload, isLenient, isTransaction = false }: Mend): {
  payload: unknown;
  defects: string[];
} {
  const defects = new Defects();
  const root = { schema, name: '', path: '', isTolerant: isLenient, isRequired: true, isTransaction };
  const mended = mend(payload, root, defects);
  if ('fault' in mended) throw faultError(mended.fault);
  return { payload: mended.value, defects: defects.list() };
}

function mend(received: unknown, place: Place, defects: Defects): Mended {
  const { schema, path, isTolerant } = place;
  let value = received;
  if (!hasType(value, schema.type)) {
    const fault = typeFault(value, place);
    value = isTolerant ? coerce(value, schema, place.name) : undefined;
    if (value === undefined) return { fault };
    defects.add(fault, 'converted');
  }
  for (const fault of brokenRules(value, schema, path)) {
    if (!isReadableTime(fault) && !(isTolerant && isKept(fault, place))) return { fault };
    const kept = keepable(value, schema);
    defects.add(fault, kept === value ? 'kept' : `cut to ${MAX_KEPT_BYTES} bytes`);
    value = kept;
  }
  if (Array.isArray(value)) return mendArray(value, place, defects);
  return isJsonObject(value) ? mendObject(value, place, defects) : { value };
}

function typeFault(found: unknown, { schema, path }: Place): Fault {
  return { path, keyword: 'type', expected: schema.type, found };
}

/** Short texts (tags, keys, statuses, serial numbers) are parts of index entries, for which a database has a limit: over-long ones are cut. */
function keepable(value: unknown, { enum: words, maxLength = Infinity }: Schema): unknown {
  if (typeof value !== 'string' || (words === undefined && maxLength > MAX_KEPT_BYTES)) return value;
  return value.slice(0, new TextEncoder().encodeInto(value, new Uint8Array(MAX_KEPT_BYTES)).read);
}

/** What goes is the innermost thing that may go, which need not be what is broken. */
function leftOut(path: string, fault: Fault): string {
  return path === fault.path ? 'left out' : `${path} left out`;
}

/**
 * A time that is required is handed on also where nobody can read it: the time of receipt stands in for it. An empty text is no word of
 * an enumeration.
 */
function isKept({ keyword, expected, found }: Fault, { isRequired, schema }: Place): boolean {
  if (keyword === 'format') return expected === 'date-time' && isRequired;
  if (keyword === 'enum' && found === '' && schema.default !== undefined) return false;
  return RULES[keyword].lenient === 'keep';
}

/** `2013-01-01T00:00Z` breaks RFC 3339, yet everybody can read it (G.5). */
function isReadableTime({ keyword, expected, found }: Fault): boolean {
  return keyword === 'format' && expected === 'date-time' && parseDateTime(String(found)) !== undefined;
}

function mendArray(items: unknown[], place: Place, defects: Defects): Mended {
  const { schema, path, isTolerant } = place;
  if (!schema.items) return { value: items };
  const usable: unknown[] = [];
  for (const [index, item] of items.entries()) {
    const inner = { ...place, schema: schema.items, name: '', path: `${path}[${index}]`, isRequired: false };
    const mended = mend(item, inner, defects);
    if ('value' in mended) usable.push(mended.value);
    else if (isTolerant) defects.add(mended.fault, leftOut(`${path}[${index}]`, mended.fault));
    else return mended;
  }
  return { value: usable };
}

function mendObject(object: JsonObject, place: Place, defects: Defects): Mended {
  const usable: JsonObject = {};
  for (const name of Object.keys(object)) {
    const child = placeOf(name, place);
    const value = object[name];
    if (!child) defects.add({ path: pathOf(place.path, name), keyword: 'additionalProperties' }, 'left out');
    else if (isAbsent(value, child)) {
      if (value === null) defects.add(typeFault(value, child), 'left out');
    } else {
      const mended = mend(value, child, defects);
      if ('value' in mended) usable[name] = mended.value;
      else if (!child.isRequired) defects.add(mended.fault, leftOut(child.path, mended.fault));
      else {
        const substitute = substituteOf(value, child);
        if (substitute === undefined) return mended;
        defects.add(mended.fault, readAs(substitute));
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

/** What stands for a required value that cannot be used, or undefined where nothing can. */
function substituteOf(value: unknown, { schema, isTolerant, isTransaction }: Place): Substitute | undefined {
  if (isTransaction && schema.type === 'integer') return nearestBound(value, schema);
  return isTolerant && value === '' ? schema.default : undefined;
}

/** `null` says that there is nothing (G.3), unless something is required that nothing can stand for. */
function isAbsent(value: unknown, child: Place): boolean {
  return value === undefined || (value === null && (!child.isRequired || absentValue(child) !== undefined));
}

/** What is read where a required value is absent: the default of its schema; of a list that it is empty (S3). */
function absentValue({ schema, isTolerant }: Place): Substitute | undefined {
  if (!isTolerant) return undefined;
  return schema.type === 'array' ? [] : schema.default;
}

function addMissing(usable: JsonObject, place: Place, defects: Defects): Mended {
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
