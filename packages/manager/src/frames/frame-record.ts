import type { Envelope } from '@evander/broker';
import { Redaction } from '@evander/process';
import type { FrameRecord } from './frames.store.ts';

interface FrameAbout extends Pick<FrameRecord, 'direction' | 'recordedAt'> {
  redaction: Redaction;
  /** The request that a response to a station belongs to; responses of stations contain theirs. */
  request?: object;
}

/** Converts an envelope to the record of its frame on the station's socket, without secrets. */
export function frameOf(
  stationId: string,
  envelope: Envelope,
  { direction, recordedAt, redaction, request = envelope.request }: FrameAbout,
): FrameRecord {
  const { type, id: messageId, action } = envelope;
  const payload = type === 2 ? envelope.request : type === 3 ? envelope.response : envelope.error_details;
  let shown = payload;
  if (typeof payload === 'object' && payload !== null)
    shown = type === 2 ? redaction.request(action, payload) : redaction.answer(action, payload, request);
  return {
    stationId,
    direction,
    recordedAt,
    type,
    messageId,
    action,
    payload: shown === undefined ? null : JSON.stringify(shown),
    errorCode: type === 4 ? envelope.error_code : null,
    errorDescription: type === 4 ? redaction.text(action, envelope.error_description, request) : null,
    raw: null,
    connectionId: envelope.connection_id ?? null,
  };
}
