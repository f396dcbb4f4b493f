import { parseDateTime } from '@evander/ocpp';
import * as securityEvents from '../../store/security-events.ts';
import type { Message } from '../message.ts';

/** What the security extension calls critical (SecEvent.2). */
const CRITICAL = new Set([
  'firmwareupdated',
  'settingsystemtime',
  'startupofthedevice',
  'resetorreboot',
  'securitylogwascleared',
  'memoryexhaustion',
  'tamperdetectionactivated',
]);
/** OCPP has 50 at most. More than this could not be part of a key. */
const MAX_LENGTH = 255;

export const securityEventNotification: Message<'SecurityEventNotification'> = {
  // Types are an open list, and events may be as old as the queue that they waited in.
  async handle({ type, timestamp, techInfo }, { stationId, receivedAt, database }) {
    await securityEvents.record(database, {
      stationId,
      type: type.slice(0, MAX_LENGTH),
      occurredAt: parseDateTime(timestamp) ?? receivedAt,
      isCritical: CRITICAL.has(type.toLowerCase()),
      techInfo: techInfo ?? null,
      receivedAt,
    });
    return {};
  },
};
