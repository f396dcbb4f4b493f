import type { BootNotificationRequest } from '@evander/ocpp';
import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import type { RegistrationStatus } from './stations.store.ts';

// Some stations send an empty string for a missing value (field-quirks 12). Rows are locked in a fixed order, or two managers with the same
// stations could deadlock.
const updateBoots = statement(
  'boots.record',
  `WITH booted AS (
     SELECT reported.* FROM stations s JOIN unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
       $8::text[], $9::text[], $10::text[], $11::text[]) AS reported (station_id, at, vendor, model, charge_point_serial_number,
       charge_box_serial_number, firmware_version, iccid, imsi, meter_type, meter_serial_number) USING (station_id)
     ORDER BY station_id FOR NO KEY UPDATE OF s)
   UPDATE stations s SET registration_status = boot_answer, booted_at = b.at, vendor = b.vendor, model = b.model,
     charge_point_serial_number = b.charge_point_serial_number, charge_box_serial_number = b.charge_box_serial_number,
     firmware_version = b.firmware_version, iccid = b.iccid, imsi = b.imsi, meter_type = b.meter_type,
     meter_serial_number = b.meter_serial_number, reset_pending_since = NULL, last_seen_at = greatest(last_seen_at, b.at)
   FROM booted b WHERE s.station_id = b.station_id RETURNING s.station_id AS "stationId", boot_answer AS "bootAnswer"`,
);

/** A received BootNotification. */
export interface Boot {
  stationId: string;
  at: Date;
  request: BootNotificationRequest;
}

/**
 * Stores what stations report at boot, at most one boot per station, and sets their registration status to the answer. Returns the answer by
 * station id, for known stations.
 */
export async function record(db: Db, boots: readonly Boot[]): Promise<Map<string, RegistrationStatus>> {
  const requests = boots.map(({ request }) => request);
  const { rows } = await db.query<{ stationId: string; bootAnswer: RegistrationStatus }>(
    updateBoots([
      boots.map(({ stationId }) => stationId),
      boots.map(({ at }) => at),
      requests.map(({ chargePointVendor }) => chargePointVendor),
      requests.map(({ chargePointModel }) => chargePointModel),
      requests.map(({ chargePointSerialNumber }) => chargePointSerialNumber ?? null),
      requests.map(({ chargeBoxSerialNumber }) => chargeBoxSerialNumber ?? null),
      requests.map(({ firmwareVersion }) => firmwareVersion ?? null),
      requests.map(({ iccid }) => iccid ?? null),
      requests.map(({ imsi }) => imsi ?? null),
      requests.map(({ meterType }) => meterType ?? null),
      requests.map(({ meterSerialNumber }) => meterSerialNumber ?? null),
    ]),
  );
  return new Map(rows.map(({ stationId, bootAnswer }) => [stationId, bootAnswer]));
}

/** Stations, and when each booted. */
export type BootTimes = readonly Pick<Boot, 'stationId' | 'at'>[];

/** SQL of `BootTimes` as a table; its two parameters come from `bootColumns`. */
export const BOOTED = `unnest($1::text[], $2::timestamptz[]) AS booted (station_id, at)`;

/** The two parameters of `BOOTED`. */
export function bootColumns(boots: BootTimes): [string[], Date[]] {
  return [boots.map(({ stationId }) => stationId), boots.map(({ at }) => at)];
}
