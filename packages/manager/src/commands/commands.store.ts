import type { CommandAction } from '@evander/ocpp';
import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import { IS_CONNECTED } from '../stations/connections.store.ts';

/** `queued`: waits for its turn or its station; `sent`: waits for its answer. The others are completed, but a late answer may arrive. */
export const COMMAND_STATUSES = [
  'queued',
  'sent',
  'answered',
  'failed',
  'timedOut',
  'connectionLost',
  'expired',
] as const;
export type CommandStatus = (typeof COMMAND_STATUSES)[number];

/** A command to be published. */
export interface Outgoing {
  commandId: string;
  stationId: string;
  action: CommandAction;
  request: Record<string, unknown>;
  sealedRequest: Buffer | null;
  connectionId: string;
}

export interface NewCommand {
  commandId: string;
  stationId: string;
  action: CommandAction;
  /** The request without its secrets. */
  request: object;
  sealedRequest: Buffer | null;
  requestedBy: string | null;
  createdAt: Date;
  expiresAt: Date;
}

const insert = statement(
  'commands.add',
  `INSERT INTO commands (command_id, station_id, action, request, sealed_request, requested_by, created_at, expires_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
);

export async function add(db: Db, command: NewCommand): Promise<void> {
  await db.query(
    insert([
      command.commandId,
      command.stationId,
      command.action,
      JSON.stringify(command.request),
      command.sealedRequest,
      command.requestedBy,
      command.createdAt,
      command.expiresAt,
    ]),
  );
}

const countOpenOf = statement(
  'commands.countOpen',
  "SELECT count(*)::int AS open FROM commands WHERE station_id = $1 AND status IN ('queued', 'sent')",
);

export async function countOpen(db: Db, stationId: string): Promise<number> {
  const { rows } = await db.query<{ open: number }>(countOpenOf([stationId]));
  return rows[0]?.open ?? 0;
}

const OUTGOING = `k.command_id AS "commandId", k.station_id AS "stationId", k.action, k.request,
  k.sealed_request AS "sealedRequest", k.connection_id AS "connectionId"`;
const CONNECTED = `c.station_id = k.station_id AND ${IS_CONNECTED}`;

// Two concurrent callers both take the oldest; the later one finds it sent. If they take different ones, the unique index rejects one.
const takeTurn = statement(
  'commands.sendNext',
  `UPDATE commands k SET status = 'sent', sent_at = $2, published_at = $2, connection_id = c.connection_id
   FROM connections c JOIN gateways g USING (gateway_id)
   WHERE k.command_id = (SELECT command_id FROM commands WHERE station_id = $1 AND status = 'queued'
       ORDER BY sequence LIMIT 1)
     AND k.status = 'queued' AND NOT (k.expires_at <= $2 AND c.connected_at > k.expires_at) AND ${CONNECTED}
     AND NOT EXISTS (SELECT FROM commands WHERE station_id = $1 AND status = 'sent')
   RETURNING ${OUTGOING}`,
);

/** Marks a station's oldest queued command as sent, if no other is sent and the station is connected; undefined otherwise. */
export async function sendNext(db: Db, stationId: string, now: Date): Promise<Outgoing | undefined> {
  const { rows } = await db.query<Outgoing>(takeTurn([stationId, now]));
  return rows[0];
}

const takeAgain = statement(
  'commands.sendAgain',
  `UPDATE commands k SET published_at = $1, connection_id = c.connection_id
   FROM connections c JOIN gateways g USING (gateway_id)
   WHERE k.status = 'sent' AND k.published_at < $2 AND ${CONNECTED} AND c.heard_until IS NULL
     AND (k.connection_id = c.connection_id OR k.action = ANY ($3::text[]))
   RETURNING ${OUTGOING}`,
);

/**
 * Marks sent commands as published again and returns them, only for Evander's own gateways, which drop commands that they have already
 * received. Only `repeatable` commands are sent on a new connection; others name their connection, so that no other one gets them.
 */
export async function sendAgain(
  db: Db,
  when: { now: Date; publishedBefore: Date; repeatable: string[] },
): Promise<Outgoing[]> {
  const { rows } = await db.query<Outgoing>(takeAgain([when.now, when.publishedBefore, when.repeatable]));
  return rows;
}

// Stations that have just connected may still have to boot: they are ready once they have booted or some time has passed.
const selectReady = statement(
  'commands.readyStations',
  `SELECT DISTINCT k.station_id AS "stationId" FROM commands k
     JOIN connections c USING (station_id) JOIN gateways g USING (gateway_id) LEFT JOIN stations s USING (station_id)
   WHERE k.status = 'queued' AND ${IS_CONNECTED} AND (c.connected_at < $1 OR s.booted_at >= c.connected_at)
     AND NOT EXISTS (SELECT FROM commands o WHERE o.station_id = k.station_id AND o.status = 'sent')`,
);

/** Stations to which a queued command can be sent now. */
export async function readyStations(db: Db, connectedBefore: Date): Promise<string[]> {
  const { rows } = await db.query<{ stationId: string }>(selectReady([connectedBefore]));
  return rows.map(({ stationId }) => stationId);
}

export interface Completed {
  commandId: string;
  stationId: string;
  action: CommandAction;
  request: Record<string, unknown>;
  sealedRequest: Buffer | null;
  sentAt: Date;
}

const COMPLETED = `k.command_id AS "commandId", k.station_id AS "stationId", k.action, k.request, k.sealed_request AS "sealedRequest",
  coalesce(k.sent_at, k.created_at) AS "sentAt"`;

export interface Outcome {
  commandId: string;
  stationId: string;
  status: 'answered' | 'failed';
  response: object | null;
  error: { code: string; description: string; details: object } | null;
  at: Date;
}

// A late answer counts. The secret is erased here, and returned because the answer's handler may need it.
const completeOne = statement(
  'commands.complete',
  `WITH open AS (SELECT command_id, sealed_request FROM commands
     WHERE command_id = $1 AND station_id = $2 AND status NOT IN ('answered', 'failed') FOR UPDATE)
   UPDATE commands k SET status = $3, response = $4, error_code = $5, error_description = $6, error_details = $7,
     completed_at = $8, sealed_request = NULL
   FROM open WHERE k.command_id = open.command_id
   RETURNING k.command_id AS "commandId", k.station_id AS "stationId", k.action, k.request,
     open.sealed_request AS "sealedRequest", coalesce(k.sent_at, k.created_at) AS "sentAt"`,
);

/** Completes a command with its station's answer; undefined if there is no such command or it was already answered. */
export async function complete(db: Db, outcome: Outcome): Promise<Completed | undefined> {
  const { commandId, stationId, status, response, error, at } = outcome;
  const { rows } = await db.query<Completed>(
    completeOne([
      commandId,
      stationId,
      status,
      response === null ? null : JSON.stringify(response),
      error?.code ?? null,
      error?.description ?? null,
      error === null ? null : JSON.stringify(error.details),
      at,
    ]),
  );
  return rows[0];
}

const timeOutSent = statement(
  'commands.timeOut',
  `UPDATE commands k SET status = 'timedOut', completed_at = $1 WHERE status = 'sent' AND sent_at < $2 AND sent_at >= $3
   RETURNING ${COMPLETED}`,
);

/** Gives up commands that were sent between two times and are unanswered. */
export async function timeOut(
  db: Db,
  { now, sentSince, sentBefore }: { now: Date; sentSince: Date; sentBefore: Date },
): Promise<Completed[]> {
  const { rows } = await db.query<Completed>(timeOutSent([now, sentBefore, sentSince]));
  return rows;
}

const loseSent = statement(
  'commands.loseConnection',
  `UPDATE commands k SET status = 'connectionLost', completed_at = $1
   FROM connections c
   WHERE k.status = 'sent' AND c.station_id = k.station_id AND k.action <> ALL ($2::text[]) AND k.sent_at >= $4
     AND (c.connection_id > k.connection_id OR (c.connection_id = k.connection_id AND c.disconnected_at < $3))
   RETURNING ${COMPLETED}`,
);

/**
 * Gives up commands that were sent since `sentSince` on a connection that a newer one has replaced, or that ended before `endedBefore`:
 * it is unknown whether the station received them. `repeatable` commands wait for the next connection instead.
 */
export async function loseConnection(
  db: Db,
  {
    now,
    repeatable,
    endedBefore,
    sentSince,
  }: { now: Date; repeatable: string[]; endedBefore: Date; sentSince: Date },
): Promise<Completed[]> {
  const { rows } = await db.query<Completed>(loseSent([now, repeatable, endedBefore, sentSince]));
  return rows;
}

const expireQueued = statement(
  'commands.expire',
  `UPDATE commands k SET status = 'expired', completed_at = $1, sealed_request = NULL
   WHERE k.status = 'queued' AND k.expires_at <= $1 AND NOT EXISTS (
     SELECT FROM connections c JOIN gateways g USING (gateway_id)
     WHERE ${CONNECTED} AND c.connected_at <= k.expires_at)
   RETURNING ${COMPLETED}`,
);

/** Gives up queued commands whose station did not connect in time. */
export async function expire(db: Db, now: Date): Promise<Completed[]> {
  const { rows } = await db.query<Completed>(expireQueued([now]));
  return rows;
}

const forget = statement(
  'commands.forgetSecrets',
  `UPDATE commands SET sealed_request = NULL
   WHERE sealed_request IS NOT NULL AND status IN ('timedOut', 'connectionLost') AND completed_at < $1`,
);

/** Erases the secrets of commands that were given up unanswered before a time: no answer is expected any more. */
export async function forgetSecrets(db: Db, before: Date): Promise<void> {
  await db.query(forget([before]));
}
