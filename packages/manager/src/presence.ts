import type { Connection, Presence, UnreadableFrame } from '@evander/broker';
import { parseDateTime } from '@evander/ocpp';
import { hideSecretText } from '@evander/process';
import { storable } from './storable.ts';
import * as connections from './store/connections.ts';
import type { Database } from './store/db.ts';
import type { FrameRecord } from './store/frames.ts';
import * as goals from './store/goals.ts';
import * as stations from './store/stations.ts';
import * as turnedAway from './store/turned-away.ts';
import type { Writer } from './store/writer.ts';

export interface PresenceContext {
  database: Database;
  writer: Writer;
  now(): Date;
}

/** Keeps what a gateway tells of its connections, of handshakes it refused and of frames it could not read. */
export async function recordPresence(
  gatewayId: string,
  received: Presence,
  context: PresenceContext,
): Promise<void> {
  const { database, now } = context;
  const presence = storable(received);
  switch (presence.kind) {
    case 'connected':
    case 'disconnected': {
      const disconnectedAt = presence.kind === 'connected' ? null : now();
      await connections.markGateway(database, gatewayId, { isGone: false });
      await connections.record(database, { gatewayId, connections: presence.connections, disconnectedAt });
      if (disconnectedAt !== null) return;
      await takeProfiles(database, presence.connections);
      await goals.onConnect(
        database,
        presence.connections.map(({ stationId }) => stationId),
        now(),
      );
      return;
    }
    case 'all':
      await connections.markGateway(database, gatewayId, { isGone: false });
      await connections.record(database, {
        gatewayId,
        connections: presence.connections,
        disconnectedAt: null,
      });
      await takeProfiles(database, presence.connections);
      await connections.closeUnlisted(database, { ...presence, gatewayId, at: now() });
      return;
    case 'alive':
    case 'gone':
      await connections.markGateway(database, gatewayId, { isGone: presence.kind === 'gone' });
      return;
    case 'turnedAway':
      for (const handshake of presence.handshakes) await turnedAway.record(database, handshake);
      return;
    case 'unreadable':
      await context.writer.frames.add(presence.frames.flatMap((frame) => recordsOf(frame, now())));
  }
}

// Of all listed ones most have met what they are registered with long ago: the statement finds none of them.
async function takeProfiles(database: Database, connected: Connection[]): Promise<void> {
  const met = connected.flatMap(({ stationId, securityProfile = 0 }) =>
    securityProfile > 0 ? [{ stationId, securityProfile }] : [],
  );
  await stations.takeProfiles(database, met);
}

function recordsOf(frame: UnreadableFrame, now: Date): FrameRecord[] {
  const { stationId, connectionId, reason, text, answer } = frame;
  const recordedAt = parseDateTime(frame.receivedAt) ?? now;
  const empty = {
    stationId,
    connectionId,
    recordedAt,
    type: 0,
    messageId: '',
    action: null,
    payload: null,
  } as const;
  const records: FrameRecord[] = [
    {
      ...empty,
      direction: 'in',
      errorCode: null,
      errorDescription: reason,
      raw: hideSecretText(text),
    },
  ];
  if (answer !== undefined) {
    records.push({
      ...empty,
      direction: 'out',
      errorCode: null,
      errorDescription: null,
      raw: hideSecretText(answer),
    });
  }
  return records;
}
