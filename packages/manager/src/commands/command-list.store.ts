import type pg from 'pg';
import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import type { CommandStatus } from './commands.store.ts';

/** A command as the API shows it. */
export interface CommandRow {
  commandId: string;
  sequence: number;
  stationId: string;
  action: string;
  status: CommandStatus;
  request: object;
  response: object | null;
  error: { code: string; description: string; details: object } | null;
  /** What may help after a failure. */
  hint: string | null;
  requestedBy: string | null;
  createdAt: Date;
  expiresAt: Date;
  sentAt: Date | null;
  completedAt: Date | null;
}

/** Security whitepaper L01.FR.20: a station that accepts only signed updates answers UpdateFirmware with NotSupported. */
const SIGNED_ONLY = 'the station may accept only signed firmware; send SignedUpdateFirmware';

const COLUMNS = `command_id AS "commandId", sequence, station_id AS "stationId", action, status, request, response,
  CASE WHEN error_code IS NULL THEN NULL
    ELSE json_build_object('code', error_code, 'description', error_description, 'details', error_details) END AS error,
  CASE WHEN action = 'UpdateFirmware' AND error_code IN ('NotSupported', 'NotImplemented') THEN '${SIGNED_ONLY}' END AS hint,
  requested_by AS "requestedBy", created_at AS "createdAt", expires_at AS "expiresAt", sent_at AS "sentAt",
  completed_at AS "completedAt"`;

const selectOne = statement('commands.get', `SELECT ${COLUMNS} FROM commands WHERE command_id = $1`);

export async function get(db: Db, commandId: string): Promise<CommandRow | undefined> {
  const { rows } = await db.query<CommandRow>(selectOne([commandId]));
  return rows[0];
}

const selectLost = statement(
  'commands.isLost',
  `SELECT FROM connections c WHERE c.station_id = $1 AND ($6 = 'connectionLost' OR c.connected_at > $2) AND NOT EXISTS (
     SELECT FROM commands k WHERE k.station_id = $1 AND k.action = $3 AND k.command_id <> $4
       AND k.status IN ('timedOut', 'connectionLost') AND k.completed_at > $5)`,
);

/**
 * Whether an unanswered command, or its answer, may have been lost with the connection: the station has reconnected, and no other command
 * of this action was left unanswered since `since`. The latter avoids retries that crash the station each time.
 */
export async function isLost(
  db: Db,
  { stationId, sentAt, action, commandId, status }: CommandRow,
  since: Date,
): Promise<boolean> {
  const { rowCount } = await db.query(selectLost([stationId, sentAt, action, commandId, since, status]));
  return rowCount === 1;
}

// `action` is compared as a range of one value, so that only its own index gives the order. Otherwise the planner, going by averages, may
// scan all newer commands for an action that was frequent long ago.
const WHERE = `($1::timestamptz IS NULL OR (created_at, sequence) < ($1, $2::bigint)) AND ($3::text IS NULL OR station_id = $3)
     AND ($4::text IS NULL OR action >= $4 AND action <= $4) AND ($5::text IS NULL OR status = $5)
     AND ($6::timestamptz IS NULL OR created_at >= $6) AND ($7::timestamptz IS NULL OR created_at < $7)`;
const select = (first: string): ((values: unknown[]) => pg.QueryConfig) =>
  search(
    `SELECT ${COLUMNS} FROM commands WHERE ${WHERE} ORDER BY ${first} created_at DESC, sequence DESC LIMIT $8`,
  );
const selectNewest = select('');
const selectNewestOfAction = select('action DESC,');

export interface CommandFilter {
  before: readonly [createdAt: string, sequence: number] | null;
  stationId?: string;
  action?: string;
  status?: string;
  from: Date | null;
  to: Date | null;
  rows: number;
}

/** Commands, newest first. */
export async function list(db: Db, filter: CommandFilter): Promise<CommandRow[]> {
  const { before, stationId, action, status, from, to, rows: limit } = filter;
  // Filters by station or by other statuses have their own indexes.
  const isByAction = action !== undefined && stationId === undefined && (status ?? 'answered') === 'answered';
  const choose = isByAction ? selectNewestOfAction : selectNewest;
  const place = [before?.[0] ?? null, before?.[1] ?? null];
  const { rows } = await db.query<CommandRow>(
    choose([...place, stationId ?? null, action ?? null, status ?? null, from, to, limit]),
  );
  return rows;
}
