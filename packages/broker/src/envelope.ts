import { decodeObject, isObject } from './payload.ts';
import type { Payload } from './payload.ts';
import type { Connection } from './presence.ts';

/** Additions to MaEVe's fields; readers that do not know them ignore them. */
interface Extras {
  /**
   * The connection that the frame arrived on; newer ids sort after older ones. On a command: the only connection that the command is for;
   * unset: any connection of the station.
   */
  connection_id?: string;
  /** When the gateway read the frame, RFC 3339. It stays the same when the envelope is published again. */
  received_at?: string;
}

export interface CallEnvelope extends Extras {
  type: 2;
  id: string;
  action: string;
  request: Payload;
  /**
   * Included in a station's calls until the first one is answered: the calls may arrive before the presence message that announces the
   * connection.
   */
  connection?: Connection;
  /** On a command: the sender acknowledges the answer, and the gateway repeats the answer until then. MaEVe's managers do not set it. */
  ack?: boolean;
}

/** An answer includes its request, so that any manager can process it. */
export interface ResultEnvelope extends Extras {
  type: 3;
  id: string;
  action: string;
  request?: Payload;
  response: Payload;
}

export interface ErrorEnvelope extends Extras {
  type: 4;
  id: string;
  action: string;
  request?: Payload;
  error_code: string;
  error_description: string;
  error_details?: Payload;
}

/** Wire format between gateway and manager, as MaEVe's. */
export type Envelope = CallEnvelope | ResultEnvelope | ErrorEnvelope;

export function encodeEnvelope(envelope: Envelope): string {
  return JSON.stringify(envelope);
}

/** The envelope in an MQTT payload; undefined when it is invalid. */
export function decodeEnvelope(payload: Buffer | string): Envelope | undefined {
  const value = decodeObject(payload);
  if (value === undefined || typeof value.id !== 'string' || typeof value.action !== 'string')
    return undefined;
  const { type } = value;
  if (type === 2) return { ...value, request: payloadOf(value.request) } as CallEnvelope;
  if (type === 3) return { ...value, response: payloadOf(value.response) } as ResultEnvelope;
  if (type !== 4) return undefined;
  const code = typeof value.error_code === 'string' ? value.error_code : 'GenericError';
  const description = typeof value.error_description === 'string' ? value.error_description : '';
  return { ...value, error_code: code, error_description: description } as ErrorEnvelope;
}

function payloadOf(value: unknown): Payload {
  return isObject(value) ? value : {};
}
