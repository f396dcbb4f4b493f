import { compile } from 'json-schema-to-typescript';
import type { JSONSchema } from 'json-schema-to-typescript';
import type { Schema } from '../src/schema.ts';
import { header } from './header.ts';
import type { Pair } from './read-schemas.ts';

/** Interfaces of all payloads, and two maps from action names to payloads. */
export async function writePayloads(pairs: Pair[], folder: string): Promise<string> {
  const sharing = new Sharing();
  const all = pairs
    .flatMap(({ request, response }) => [request, response])
    .map((schema) => sharing.root(schema));
  const source = {
    title: 'Everything',
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(all.map((schema) => [schema.title ?? '', schema])),
  };
  const code = await compile(source as JSONSchema, 'Everything', {
    bannerComment: '',
    ignoreMinAndMaxItems: true,
    style: { singleQuote: true, bracketSpacing: true, printWidth: 110 },
  });
  return [
    header(folder),
    withoutRoot(code),
    mapOf('Requests', 'Request', pairs),
    mapOf('Responses', 'Response', pairs),
  ].join('\n');
}

/** The compiler names a type once per schema object, so schemas of the same shape must be the same object. */
class Sharing {
  readonly #byTitle = new Map<string, { text: string; schema: Schema }>();

  root({ $id: _id, $schema: _schema, ...schema }: Schema): Schema {
    return this.#parts(schema);
  }

  #inner(schema: Schema): Schema {
    if (!schema.title) return this.#parts(schema);
    const plain = this.#parts(withoutDescriptions(schema));
    const text = JSON.stringify(plain);
    const known = this.#byTitle.get(schema.title) ?? { text, schema: plain };
    if (known.text !== text) throw new Error(`two different shapes are titled ${schema.title}`);
    this.#byTitle.set(schema.title, known);
    return known.schema;
  }

  #parts(schema: Schema): Schema {
    const { properties, items } = schema;
    return {
      ...schema,
      ...(properties && { properties: mapValues(properties, (property) => this.#inner(property)) }),
      ...(items && { items: this.#inner(items) }),
    };
  }
}

/** A description applies to the message that contains it, but several messages share a type. */
function withoutDescriptions({ description: _description, ...schema }: Schema): Schema {
  const { properties, items } = schema;
  return {
    ...schema,
    ...(properties && { properties: mapValues(properties, withoutDescriptions) }),
    ...(items && { items: withoutDescriptions(items) }),
  };
}

function mapValues(
  object: { readonly [name: string]: Schema },
  change: (schema: Schema) => Schema,
): { [name: string]: Schema } {
  return Object.fromEntries(Object.entries(object).map(([name, schema]) => [name, change(schema)]));
}

function withoutRoot(code: string): string {
  const start = code.indexOf('export interface Everything {');
  const end = code.indexOf('\n}\n', start);
  if (start < 0 || end < 0) throw new Error('json-schema-to-typescript wrote no root interface');
  return (code.slice(0, start) + code.slice(end + '\n}\n'.length)).trimStart();
}

function mapOf(name: string, suffix: string, pairs: Pair[]): string {
  const lines = pairs.map(({ action }) => `  ${action}: ${action}${suffix};\n`);
  return `export interface ${name} {\n${lines.join('')}}\n`;
}
