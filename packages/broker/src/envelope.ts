import { decodeObject, isObject } from './payload.ts';
import type { Payload } from './payload.ts';
import type { Connection } from './presence.ts';

/** What may be added to MaEVe's fields: a reader that does not know them passes over them. */
interface Extras {
  /**
   * The connection that the frame came in on; newer ones sort after older ones. On a command: the only connection that it is meant
   * for, or none where any of the station's will do.
   */
  connection_id?: string;
  /** When the gateway read the frame, RFC 3339: stays the same when the envelope is sent again. */
  received_at?: string;
}

export interface CallEnvelope extends Extras {
  type: 2;
  id: string;
  action: string;
  request: Payload;
  /** On a station's calls until the first of them is answered: the presence that tells of the connection may come later than they do. */
  connection?: Connection;
  /** On a command: its sender acknowledges the answer, so the gateway publishes it again until then. MaEVe's managers do not say so. */
  ack?: boolean;
}

/** An answer carries its question, so that whoever gets it needs no memory of having asked. */
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

/** The envelope in an MQTT payload, or undefined when it is none. */
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
