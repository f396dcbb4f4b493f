/** JSON Schema, as far as the API description uses it. */
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

/** Whether an empty object is valid; then a request may omit the body. */
export function mayBeEmpty({ type, required = [], minProperties = 0 }: Schema): boolean {
  return type === 'object' && required.length === 0 && minProperties === 0;
}
