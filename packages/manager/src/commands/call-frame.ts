import type { Envelope } from '@evander/broker';
import { Redaction } from '@evander/process';
import { frameOf } from '../frames/frame-record.ts';
import type { FrameRecord } from '../frames/frames.store.ts';
import type { Outgoing } from './commands.store.ts';

/** The frame record of a command that is sent. Its secrets were removed when the command was recorded. */
export function callFrame(command: Outgoing, recordedAt: Date): FrameRecord {
  const { stationId, commandId, action, request, connectionId } = command;
  const envelope: Envelope = { type: 2, id: commandId, action, request, connection_id: connectionId };
  return frameOf(stationId, envelope, { direction: 'out', recordedAt, redaction: new Redaction() });
}
