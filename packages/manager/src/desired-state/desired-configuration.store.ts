import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** The station or group for which a value is desired. */
export type Owner = { stationId: string } | { group: string };
export type ResetRule = 'never' | 'whenIdle';

export const OUTCOMES = [
  'accepted',
  'rebootRequired',
  'rejected',
  'notSupported',
  'readonly',
  'unreachable',
  'ineffective',
] as const;
export type OutcomeKind = (typeof OUTCOMES)[number];

/** The values of the columns station_id and group_name. */
export function ownerColumns(owner: Owner): [stationId: string | null, group: string | null] {
  return 'group' in owner ? [null, owner.group] : [owner.stationId, null];
}

const change = statement(
  'desiredConfiguration.change',
  `WITH given AS (SELECT lower(key) AS key_lower, key, value FROM unnest($3::text[], $4::text[]) AS g (key, value)),
   gone AS (DELETE FROM desired_values v USING given g
     WHERE v.station_id IS NOT DISTINCT FROM $1 AND v.group_name IS NOT DISTINCT FROM $2 AND v.key_lower = g.key_lower AND g.value IS NULL),
   changed AS (UPDATE desired_values v SET key = g.key, value = g.value FROM given g
     WHERE v.station_id IS NOT DISTINCT FROM $1 AND v.group_name IS NOT DISTINCT FROM $2 AND v.key_lower = g.key_lower
       AND g.value IS NOT NULL RETURNING v.key_lower)
   INSERT INTO desired_values (station_id, group_name, key_lower, key, value)
   SELECT $1, $2, key_lower, key, value FROM given WHERE value IS NOT NULL AND key_lower NOT IN (SELECT key_lower FROM changed)`,
);

/** Sets desired values of a station or group; null removes one. */
export async function put(db: Db, owner: Owner, values: Record<string, string | null>): Promise<void> {
  await db.query(change([...ownerColumns(owner), Object.keys(values), Object.values(values)]));
}

const selectOwn = statement(
  'desiredConfiguration.own',
  `SELECT key, value FROM desired_values WHERE station_id IS NOT DISTINCT FROM $1 AND group_name IS NOT DISTINCT FROM $2 ORDER BY key_lower`,
);

/** The desired values of a station or group itself. */
export async function own(db: Db, owner: Owner): Promise<Record<string, string>> {
  const { rows } = await db.query<{ key: string; value: string }>(selectOwn(ownerColumns(owner)));
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
}

const updateReset = statement(
  'desiredConfiguration.setReset',
  'UPDATE stations SET configuration_reset = $2 WHERE station_id = $1',
);
const updateGroupReset = statement(
  'desiredConfiguration.setGroupReset',
  'UPDATE station_groups SET configuration_reset = $2 WHERE name = $1',
);

/** Sets when stations are reset for values that need a reboot; null: as their groups define. */
export async function setReset(db: Db, owner: Owner, reset: ResetRule | null): Promise<void> {
  await db.query(
    'group' in owner ? updateGroupReset([owner.group, reset]) : updateReset([owner.stationId, reset]),
  );
}

/** A key with a desired value, and what the station has reported of it. */
export interface DesiredKey {
  key: string;
  value: string;
  group: string | null;
  known: { value: string | null; readonly: boolean; rebootRequired: boolean; readAt: Date } | null;
  /** The outcome of the last value that was tried. */
  tried: {
    value: string;
    outcome: OutcomeKind;
    reason: string | null;
    at: Date;
    driftedAt: Date | null;
  } | null;
}

interface Row {
  key: string;
  desired: string;
  group: string | null;
  value: string | null;
  readonly: boolean | null;
  rebootRequired: boolean | null;
  readAt: Date | null;
  triedValue: string | null;
  outcome: OutcomeKind | null;
  reason: string | null;
  at: Date | null;
  driftedAt: Date | null;
}

const selectEffective = search(
  `SELECT e.key, e.value AS desired, e.group_name AS "group", k.value, k.readonly, k.reboot_required AS "rebootRequired",
     k.read_at AS "readAt", o.value AS "triedValue", o.outcome, o.reason, o.at, o.drifted_at AS "driftedAt"
   FROM effective_configuration e LEFT JOIN configuration_keys k USING (station_id, key_lower)
     LEFT JOIN configuration_outcomes o USING (station_id, key_lower)
   WHERE e.station_id = $1 AND ($2::text[] IS NULL OR e.key_lower = ANY ($2)) ORDER BY e.key_lower`,
);

/** The desired values of a station: all of them, or those of some keys (in lower case). */
export async function effective(db: Db, stationId: string, keys?: string[]): Promise<DesiredKey[]> {
  const { rows } = await db.query<Row>(selectEffective([stationId, keys ?? null]));
  return rows.map((row) => ({
    key: row.key,
    value: row.desired,
    group: row.group,
    known: row.readAt && {
      value: row.value,
      readonly: row.readonly === true,
      rebootRequired: row.rebootRequired === true,
      readAt: row.readAt,
    },
    tried: row.at &&
      row.outcome && {
        value: row.triedValue ?? '',
        outcome: row.outcome,
        reason: row.reason,
        at: row.at,
        driftedAt: row.driftedAt,
      },
  }));
}

export interface Outcome {
  key: string;
  value: string;
  outcome: OutcomeKind;
  reason: string | null;
  at: Date;
  /** When the station was found with another value; null keeps the stored time. */
  driftedAt: Date | null;
}

const upsertOutcomes = statement(
  'desiredConfiguration.record',
  `INSERT INTO configuration_outcomes AS known (station_id, key_lower, value, outcome, reason, at, drifted_at)
   SELECT $1, lower(key), value, outcome, reason, at, drifted_at
   FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[])
     AS o (key, value, outcome, reason, at, drifted_at)
   ON CONFLICT (station_id, key_lower) DO UPDATE SET value = excluded.value, outcome = excluded.outcome, reason = excluded.reason,
     at = excluded.at, drifted_at = coalesce(excluded.drifted_at, known.drifted_at)
   WHERE known.at <= excluded.at`,
);

/** Stores outcomes of desired values, unless newer ones are stored. */
export async function record(db: Db, stationId: string, outcomes: Outcome[]): Promise<void> {
  if (outcomes.length === 0) return;
  await db.query(
    upsertOutcomes([
      stationId,
      outcomes.map(({ key }) => key),
      outcomes.map(({ value }) => value),
      outcomes.map(({ outcome }) => outcome),
      outcomes.map(({ reason }) => reason),
      outcomes.map(({ at }) => at),
      outcomes.map(({ driftedAt }) => driftedAt),
    ]),
  );
}

/** The state of a station that determines the next step for its configuration. */
export interface StationState {
  bootedAt: Date | null;
  /** When it was last asked for all its keys and answered. */
  readAt: Date | null;
  /** When its current or last connection was opened. */
  connectedAt: Date | null;
  reset: ResetRule;
  /** Whether a transaction is running. */
  isBusy: boolean;
}

const selectState = statement(
  'desiredConfiguration.state',
  `SELECT booted_at AS "bootedAt",
     greatest(configuration_read_at, configuration_asked_at) AS "readAt",
     (SELECT c.connected_at FROM connections c WHERE c.station_id = s.station_id) AS "connectedAt",
     coalesce(configuration_reset, (SELECT g.configuration_reset FROM station_group_members m JOIN station_groups g USING (name)
       WHERE m.station_id = s.station_id AND g.configuration_reset IS NOT NULL ORDER BY g.rank, g.name LIMIT 1), 'never') AS reset,
     EXISTS (SELECT FROM transactions t WHERE t.station_id = s.station_id AND t.stopped_at IS NULL) AS "isBusy"
   FROM stations s WHERE station_id = $1`,
);

/** The state of a station; undefined if the station is unknown. */
export async function state(db: Db, stationId: string): Promise<StationState | undefined> {
  const { rows } = await db.query<StationState>(selectState([stationId]));
  return rows[0];
}

const markAsked = statement(
  'desiredConfiguration.asked',
  `UPDATE stations SET configuration_asked_at = $2 WHERE station_id = $1 AND coalesce(configuration_asked_at, '-infinity') < $2`,
);

/** Records that a station was asked for all its keys and answered, even if it omitted some, so that it is not asked again. */
export async function recordReading(db: Db, stationId: string, at: Date): Promise<void> {
  await db.query(markAsked([stationId, at]));
}
