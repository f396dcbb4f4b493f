import type { ChargingSchedule } from '@evander/ocpp';
import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** A station's answer to a GetCompositeSchedule. */
export interface CompositeSchedule {
  stationId: string;
  connectorId: number;
  /** The requested unit; null if the station was to choose. */
  chargingRateUnit: string | null;
  status: string;
  durationSeconds: number;
  scheduleStart: Date | null;
  chargingSchedule: ChargingSchedule | null;
  askedAt: Date;
}

const upsert = statement(
  'compositeSchedules.record',
  `INSERT INTO composite_schedules AS known (station_id, connector_id, charging_rate_unit, status, duration_seconds, schedule_start,
     charging_schedule, asked_at)
   SELECT $1, $2, $3, $4, $5, $6, $7, $8 FROM stations WHERE station_id = $1
   ON CONFLICT (station_id, connector_id, charging_rate_unit) DO UPDATE SET status = excluded.status,
     duration_seconds = excluded.duration_seconds, schedule_start = excluded.schedule_start,
     charging_schedule = excluded.charging_schedule, asked_at = excluded.asked_at
   WHERE known.asked_at <= excluded.asked_at`,
);

/** Stores an answer for its connector and unit, unless a newer one is known. */
export async function record(db: Db, schedule: CompositeSchedule): Promise<void> {
  const { chargingSchedule } = schedule;
  await db.query(
    upsert([
      schedule.stationId,
      schedule.connectorId,
      schedule.chargingRateUnit ?? '',
      schedule.status,
      schedule.durationSeconds,
      schedule.scheduleStart,
      chargingSchedule === null ? null : JSON.stringify(chargingSchedule),
      schedule.askedAt,
    ]),
  );
}

const selectLast = search(
  `SELECT station_id AS "stationId", connector_id AS "connectorId", nullif(charging_rate_unit, '') AS "chargingRateUnit", status,
     duration_seconds AS "durationSeconds", schedule_start AS "scheduleStart", charging_schedule AS "chargingSchedule",
     asked_at AS "askedAt"
   FROM composite_schedules
   WHERE station_id = $1 AND connector_id = $2 AND ($3::text IS NULL OR charging_rate_unit = $3)
   ORDER BY asked_at DESC LIMIT 1`,
);

export interface CompositeScheduleFilter {
  stationId: string;
  connectorId: number;
  chargingRateUnit?: string;
}

/** The last answer for a connector, in one unit or in any. */
export async function findLast(
  db: Db,
  { stationId, connectorId, chargingRateUnit }: CompositeScheduleFilter,
): Promise<CompositeSchedule | undefined> {
  const { rows } = await db.query<CompositeSchedule>(
    selectLast([stationId, connectorId, chargingRateUnit ?? null]),
  );
  return rows[0];
}
