/** A JSON object. */
export type Payload = Record<string, unknown>;

/** The JSON object in an MQTT payload; undefined for anything else. */
export function decodeObject(payload: Buffer | string): Payload | undefined {
  try {
    const value: unknown = JSON.parse(payload.toString());
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** True for a JSON object: neither an array nor null. */
export function isObject(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
