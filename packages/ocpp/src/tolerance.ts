import { coerce } from './coerce.ts';
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

/** A value's place in the payload. In a tolerant one, a fault costs no more than the value itself. */
interface Place {
  readonly schema: Schema;
  readonly path: string;
  readonly isTolerant: boolean;
}

/** Either what can be used of a value, or why nothing can. */
type Mended = { readonly value: unknown } | { readonly fault: Fault };

export interface Mend {
  readonly schema: Schema;
  readonly payload: unknown;
  /** The whole payload is a tolerant place, not only its optional properties. */
  readonly isLenient: boolean;
}

/** Makes a new payload of whatever is usable; throws an OcppError where that is not enough (G.1, ERR.4). */
export function mendPayload({ schema, payload, isLenient }: Mend): { payload: unknown; defects: string[] } {
  const defects = new Defects();
  const mended = mend(payload, { schema, path: '', isTolerant: isLenient }, defects);
  if ('fault' in mended) throw faultError(mended.fault);
  return { payload: mended.value, defects: defects.list() };
}

function mend(received: unknown, place: Place, defects: Defects): Mended {
  const { schema, path, isTolerant } = place;
  let value = received;
  if (!hasType(value, schema.type)) {
    const fault = typeFault(value, place);
    value = isTolerant ? coerce(value, schema.type) : undefined;
    if (value === undefined) return { fault };
    defects.add(fault, 'converted');
  }
  for (const fault of brokenRules(value, schema, path)) {
    if (!isReadableTime(fault) && !(isTolerant && RULES[fault.keyword].lenient === 'keep')) return { fault };
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

/** `2013-01-01T00:00Z` breaks RFC 3339, yet everybody can read it (G.5). */
function isReadableTime({ keyword, expected, found }: Fault): boolean {
  return keyword === 'format' && expected === 'date-time' && parseDateTime(String(found)) !== undefined;
}

function mendArray(items: unknown[], { schema, path, isTolerant }: Place, defects: Defects): Mended {
  if (!schema.items) return { value: items };
  const usable: unknown[] = [];
  for (const [index, item] of items.entries()) {
    const mended = mend(item, { schema: schema.items, path: `${path}[${index}]`, isTolerant }, defects);
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
      else if (child.isRequired) return mended;
      else defects.add(mended.fault, leftOut(child.path, mended.fault));
    }
  }
  return addMissing(usable, place, defects);
}

/** `null` says that there is nothing (G.3), unless something is required that an empty list cannot replace. */
function isAbsent(value: unknown, child: Child): boolean {
  return value === undefined || (value === null && (!child.isRequired || isReplaceable(child)));
}

/** S3: a station that has no values to report may leave out their list. */
function isReplaceable({ schema, isTolerant }: Place): boolean {
  return isTolerant && schema.type === 'array';
}

function addMissing(usable: JsonObject, place: Place, defects: Defects): Mended {
  for (const name of place.schema.required ?? []) {
    if (Object.hasOwn(usable, name)) continue;
    const child = placeOf(name, place);
    const fault: Fault = { path: pathOf(place.path, name), keyword: 'required' };
    if (!child || !isReplaceable(child)) return { fault };
    usable[name] = [];
    defects.add(fault, 'read as an empty list');
  }
  return { value: usable };
}

interface Child extends Place {
  readonly isRequired: boolean;
}

function placeOf(name: string, { schema, path, isTolerant }: Place): Child | undefined {
  const { properties = {}, required = [] } = schema;
  const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
  if (!property) return undefined;
  const isRequired = required.includes(name);
  return { schema: property, path: pathOf(path, name), isTolerant: isTolerant || !isRequired, isRequired };
}
