import { search, statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import type { FileKind } from './files.store.ts';

/** A file as the API shows it. */
export interface FileRow {
  fileId: string;
  kind: FileKind;
  name: string;
  sizeBytes: number;
  /** Lower case hexadecimal. */
  sha256: string;
  createdAt: Date;
  firmwareVersion: string | null;
  signature: string | null;
  signingCertificate: string | null;
  signatureIsValid: boolean | null;
  note: string | null;
  uploadedBy: string | null;
  stationId: string | null;
  commandId: string | null;
  jobId: number | null;
}

const SELECT = `SELECT f.file_id AS "fileId", f.kind, f.name, f.size_bytes AS "sizeBytes", encode(f.sha256, 'hex') AS sha256,
    f.created_at AS "createdAt", f.firmware_version AS "firmwareVersion", f.signature,
    f.signing_certificate AS "signingCertificate", f.signature_is_valid AS "signatureIsValid", f.note,
    f.uploaded_by AS "uploadedBy", f.station_id AS "stationId", f.command_id AS "commandId", j.job_id AS "jobId"
  FROM files f LEFT JOIN station_jobs j USING (command_id)`;

const selectOne = statement('files.get', `${SELECT} WHERE f.file_id = $1 AND f.completed_at IS NOT NULL`);

/** A file with complete contents; undefined if there is none. */
export async function get(db: Db, fileId: string): Promise<FileRow | undefined> {
  const { rows } = await db.query<FileRow>(selectOne([fileId]));
  return rows[0];
}

const selectPage = search(
  `${SELECT} WHERE f.completed_at IS NOT NULL AND ($1::timestamptz IS NULL OR (f.created_at, f.file_id) < ($1, $2::uuid))
     AND ($3::text IS NULL OR f.kind = $3) AND ($4::text IS NULL OR f.station_id = $4)
     AND ($5::bigint IS NULL OR j.job_id = $5)
   ORDER BY f.created_at DESC, f.file_id DESC LIMIT $6`,
);

export interface FileFilter {
  after: readonly [createdAt: string, fileId: string] | null;
  kind?: FileKind;
  stationId?: string;
  jobId?: number;
  rows: number;
}

/** Files, newest first. */
export async function list(db: Db, filter: FileFilter): Promise<FileRow[]> {
  const { after, kind, stationId, jobId, rows: limit } = filter;
  const place = [after?.[0] ?? null, after?.[1] ?? null];
  const { rows } = await db.query<FileRow>(
    selectPage([...place, kind ?? null, stationId ?? null, jobId ?? null, limit]),
  );
  return rows;
}
