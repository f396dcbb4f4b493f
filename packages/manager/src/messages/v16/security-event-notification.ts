import { parseDateTime } from '@evander/ocpp';
import * as securityEvents from '../../stations/security-events.store.ts';
import type { Message } from '../message.ts';

/** Events that are critical by the security extension (SecEvent.2). */
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
  // Stations may send other types, and old events from their queue.
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
