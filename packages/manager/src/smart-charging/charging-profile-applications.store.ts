import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** `refused`: nothing was sent; `forgotten`: its command is no longer stored; the others are the state of the command. */
export const APPLICATION_OUTCOMES = [
  'refused',
  'queued',
  'sent',
  'accepted',
  'rejected',
  'notSupported',
  'answered',
  'failed',
  'timedOut',
  'connectionLost',
  'expired',
  'forgotten',
] as const;
export type ApplicationOutcome = (typeof APPLICATION_OUTCOMES)[number];

export interface Application {
  templateId: string;
  stationId: string;
  connectorId: number;
  transactionId: number | null;
  /** Null when nothing was sent. */
  unit: string | null;
  requestedBy: string | null;
  requestedAt: Date;
  outcome: { commandId: string } | { rule: string | null; reason: string };
}

const insert = statement(
  'chargingProfileApplications.add',
  `INSERT INTO charging_profile_applications (template_id, station_id, connector_id, transaction_id, command_id, unit, refused_rule,
     refused_reason, requested_by, requested_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING application_id AS "applicationId"`,
);

/** Records that a template was sent to a station, or why it was not. Returns the id of the record. */
export async function add(db: Db, application: Application): Promise<number> {
  const { templateId, stationId, connectorId, transactionId, unit, requestedBy, requestedAt, outcome } =
    application;
  const { commandId, rule, reason } =
    'commandId' in outcome ? { ...outcome, rule: null, reason: null } : { commandId: null, ...outcome };
  const { rows } = await db.query<{ applicationId: number }>(
    insert([
      templateId,
      stationId,
      connectorId,
      transactionId,
      commandId,
      unit,
      rule,
      reason,
      requestedBy,
      requestedAt,
    ]),
  );
  return (rows[0] as { applicationId: number }).applicationId;
}

/** An application as the API shows it. */
export interface ApplicationRow {
  applicationId: number;
  stationId: string;
  connectorId: number;
  transactionId: number | null;
  commandId: string | null;
  chargingRateUnit: string | null;
  outcome: ApplicationOutcome;
  rule: string | null;
  reason: string | null;
  requestedBy: string | null;
  requestedAt: Date;
  completedAt: Date | null;
}

const selectPage = search(
  `SELECT a.application_id AS "applicationId", a.station_id AS "stationId", a.connector_id AS "connectorId",
     a.transaction_id AS "transactionId", a.command_id AS "commandId", a.unit AS "chargingRateUnit", a.outcome,
     a.refused_rule AS rule, coalesce(a.refused_reason, k.error_description) AS reason, a.requested_by AS "requestedBy",
     a.requested_at AS "requestedAt", k.completed_at AS "completedAt"
   FROM charging_profile_applications a LEFT JOIN commands k USING (command_id)
   WHERE a.template_id = $1 AND ($2::bigint IS NULL OR a.application_id < $2) AND ($3::text IS NULL OR a.station_id = $3)
     AND ($4::bigint[] IS NULL OR a.application_id = ANY ($4)) AND ($5::text IS NULL OR a.outcome = $5)
   ORDER BY a.application_id DESC LIMIT $6`,
);

export interface ApplicationFilter {
  templateId: string;
  before: number | null;
  stationId?: string;
  outcome?: ApplicationOutcome;
  /** Only applications with these ids. */
  ids?: number[];
  rows: number;
}

/** Applications of a template with their outcome, newest first. */
export async function list(db: Db, filter: ApplicationFilter): Promise<ApplicationRow[]> {
  const { templateId, before, stationId, outcome, ids, rows: limit } = filter;
  const values = [templateId, before, stationId ?? null, ids ?? null, outcome ?? null, limit];
  const { rows } = await db.query<ApplicationRow>(selectPage(values));
  return rows;
}
