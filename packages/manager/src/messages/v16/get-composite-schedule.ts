import { parseDateTime } from '@evander/ocpp';
import { RuleViolation } from '../../commands/command.ts';
import type { Command } from '../../commands/command.ts';
import * as compositeSchedules from '../../smart-charging/composite-schedules.store.ts';

export const getCompositeSchedule: Command<'GetCompositeSchedule'> = {
  repeatable: true,
  check({ connectorId, duration }) {
    if (connectorId < 0)
      throw new RuleViolation('Composite.2', 'connectorId must be 0 (the whole station) or higher');
    if (duration < 1) throw new RuleViolation('Composite.1', 'duration must be 1 second or more');
  },
  async onAnswer({ status, scheduleStart, chargingSchedule }, { request, sentAt }, { db, stationId }) {
    const { connectorId, duration, chargingRateUnit } = request;
    await compositeSchedules.record(db, {
      stationId,
      connectorId,
      chargingRateUnit: chargingRateUnit ?? chargingSchedule?.chargingRateUnit ?? null,
      status,
      durationSeconds: duration,
      scheduleStart: (scheduleStart === undefined ? undefined : parseDateTime(scheduleStart)) ?? null,
      chargingSchedule: chargingSchedule ?? null,
      askedAt: sentAt,
    });
  },
};
