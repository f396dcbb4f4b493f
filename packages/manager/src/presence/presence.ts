import type { Listing, Presence, UnreadableFrame } from '@evander/broker';
import { parseDateTime } from '@evander/ocpp';
import { hideSecretText } from '@evander/process';
import type { Batch } from '../database/batch.ts';
import type { Database } from '../database/database.ts';
import { storable } from '../database/storable.ts';
import type { FrameRecord } from '../frames/frames.store.ts';
import * as connections from '../stations/connections.store.ts';
import * as stations from '../stations/stations.store.ts';
import type { ToldConnection } from './connection-batch.store.ts';
import * as rejected from './rejected-handshakes.store.ts';

export interface PresenceContext {
  database: Database;
  writer: { connections: Batch<ToldConnection>; frames: Batch<FrameRecord> };
  now(): Date;
}

/** Stores a gateway's report: its connections, the handshakes it rejected, or the frames it could not read. */
export async function recordPresence(
  gatewayId: string,
  received: Presence,
  context: PresenceContext,
): Promise<void> {
  const { database, writer, now } = context;
  const presence = storable(received);
  switch (presence.kind) {
    case 'connected':
    case 'disconnected': {
      const at = now();
      const disconnectedAt = presence.kind === 'connected' ? null : at;
      // Added one by one: a batch holds one connection per station, so several of one station need separate writes.
      await Promise.all(
        presence.connections.map((connection) =>
          writer.connections.add([{ gatewayId, connection, disconnectedAt, isAnnounced: true, at }]),
        ),
      );
      return;
    }
    case 'listing':
      await recordListing(database, gatewayId, presence, now());
      return;
    case 'alive':
      await connections.markAlive(database, [gatewayId]);
      return;
    case 'gone':
      await connections.markGone(database, gatewayId);
      return;
    case 'rejected':
      await rejected.record(database, presence.handshakes);
      return;
    case 'unreadable':
      await writer.frames.add(presence.frames.flatMap((frame) => recordsOf(frame, now())));
  }
}

// Most listed connections are known and their stations use the security profile that was set, so nothing is written for them.
async function recordListing(
  database: Database,
  gatewayId: string,
  listing: Listing,
  at: Date,
): Promise<void> {
  await connections.markAlive(database, [gatewayId]);
  await connections.record(
    database,
    listing.connections.map((connection) => ({ gatewayId, connection, disconnectedAt: null })),
  );
  await stations.takeProfiles(database, listing.connections);
  await connections.closeUnlisted(database, gatewayId, listing, at);
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
