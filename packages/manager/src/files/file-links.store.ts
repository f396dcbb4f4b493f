import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';
import * as jobs from '../jobs/jobs.store.ts';
import type { UploadKind } from './files.store.ts';

export interface FileLink {
  stationId: string;
  commandId: string;
  /** The file to download; null for an upload link. */
  fileId: string | null;
  uploadKind: UploadKind | null;
}

export interface NewFileLink extends FileLink {
  tokenHash: Buffer;
  createdAt: Date;
  expiresAt: Date;
}

const insert = statement(
  'fileLinks.add',
  `INSERT INTO file_links (token_hash, station_id, command_id, file_id, upload_kind, created_at, expires_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7)`,
);

export async function add(db: Db, link: NewFileLink): Promise<void> {
  const { tokenHash, stationId, commandId, fileId, uploadKind, createdAt, expiresAt } = link;
  await db.query(insert([tokenHash, stationId, commandId, fileId, uploadKind, createdAt, expiresAt]));
  if (uploadKind !== null) await jobs.expectFiles(db, commandId);
}

const selectOne = statement(
  'fileLinks.find',
  `SELECT station_id AS "stationId", command_id AS "commandId", file_id AS "fileId", upload_kind AS "uploadKind"
   FROM file_links WHERE token_hash = $1 AND expires_at > $2`,
);

/** The link with this token; undefined if there is none or it has expired. */
export async function find(db: Db, tokenHash: Buffer, now: Date): Promise<FileLink | undefined> {
  const { rows } = await db.query<FileLink>(selectOne([tokenHash, now]));
  return rows[0];
}

const lockOne = statement('fileLinks.lock', 'SELECT FROM file_links WHERE token_hash = $1 FOR UPDATE');
const countOf = statement(
  'fileLinks.countUploads',
  'SELECT count(*)::int AS uploads FROM files WHERE command_id = $1',
);

/** Number of files uploaded by a link, including uploads in progress. Locks the link until the database transaction ends. */
export async function countUploads(db: Db, tokenHash: Buffer, commandId: string): Promise<number> {
  await db.query(lockOne([tokenHash]));
  const { rows } = await db.query<{ uploads: number }>(countOf([commandId]));
  return rows[0]?.uploads ?? 0;
}

const removeOld = statement('fileLinks.removeExpired', 'DELETE FROM file_links WHERE expires_at < $1');

export async function removeExpired(db: Db, before: Date): Promise<void> {
  await db.query(removeOld([before]));
}
