import type { Envelope } from '@evander/broker';
import { withoutSecrets } from './secrets.ts';
import type { Outgoing } from './store/commands.ts';
import type { FrameRecord } from './store/frames.ts';

/** How an envelope is recorded: as the frame that goes over the station's socket, without its secrets. */
export function frameOf(
  stationId: string,
  envelope: Envelope,
  about: Pick<FrameRecord, 'direction' | 'recordedAt'>,
): FrameRecord {
  const { type, id: messageId, action } = envelope;
  const payload = type === 2 ? envelope.request : type === 3 ? envelope.response : envelope.error_details;
  const shown = typeof payload === 'object' && payload !== null ? withoutSecrets(action, payload) : payload;
  return {
    stationId,
    ...about,
    type,
    messageId,
    action,
    payload: shown === undefined ? null : JSON.stringify(shown),
    errorCode: type === 4 ? envelope.error_code : null,
    errorDescription: type === 4 ? envelope.error_description : null,
    raw: null,
    connectionId: envelope.connection_id ?? null,
  };
}

/** How a command of ours is recorded when it goes out. */
export function callFrame(command: Outgoing, recordedAt: Date): FrameRecord {
  const { stationId, commandId, action, request, connectionId } = command;
  const envelope: Envelope = { type: 2, id: commandId, action, request, connection_id: connectionId };
  return frameOf(stationId, envelope, { direction: 'out', recordedAt });
}
