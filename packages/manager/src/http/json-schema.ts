/** A JSON Schema, as far as the description of the API uses it. */

export interface Schema {
  $ref?: string;
  title?: string;
  type?: string | string[];
  enum?: unknown[];
  format?: string;
  default?: unknown;
  examples?: unknown[];
  required?: string[];
  minProperties?: number;
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  [keyword: string]: unknown;
}
export type Schemas = Record<string, Schema>;
/** May it be an object without properties? Then a request may leave it out. */
export function mayBeEmpty({ type, required = [], minProperties = 0 }: Schema): boolean {
  return type === 'object' && required.length === 0 && minProperties === 0;
}
