import { parseDateTime } from '@evander/ocpp';
import * as securityEvents from '../../stations/security-events.store.ts';
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

export const securityEventNotification: Message<'SecurityEventNotification'> = {
  // Types are an open list, and events may be as old as the queue that they waited in.
  async handle({ type, timestamp, techInfo }, { stationId, receivedAt, database }) {
    await securityEvents.record(database, {
      stationId,
      type,
      occurredAt: parseDateTime(timestamp) ?? receivedAt,
      isCritical: CRITICAL.has(type.toLowerCase()),
      techInfo: techInfo ?? null,
      receivedAt,
    });
    return {};
  },
};
