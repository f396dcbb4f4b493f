import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

/** Kinds of files: firmware comes from operators, the others from stations. */
export const FILE_KINDS = ['firmware', 'diagnostics', 'log'] as const;
export type FileKind = (typeof FILE_KINDS)[number];
export type UploadKind = Exclude<FileKind, 'firmware'>;

export interface NewFile {
  fileId: string;
  kind: FileKind;
  name: string;
  createdAt: Date;
  firmwareVersion?: string | undefined;
  note?: string | undefined;
  uploadedBy?: string | null;
  /** For uploads of stations. */
  stationId?: string;
  commandId?: string;
}

const insert = statement(
  'files.begin',
  `INSERT INTO files (file_id, kind, name, created_at, firmware_version, note, uploaded_by, station_id, command_id)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
);

/** Adds a file before its contents; it stays invisible until `complete`. */
export async function begin(db: Db, file: NewFile): Promise<void> {
  await db.query(
    insert([
      file.fileId,
      file.kind,
      file.name,
      file.createdAt,
      file.firmwareVersion ?? null,
      file.note ?? null,
      file.uploadedBy ?? null,
      file.stationId ?? null,
      file.commandId ?? null,
    ]),
  );
}

const markComplete = statement(
  'files.complete',
  `WITH completed AS (
     UPDATE files SET size_bytes = $2, sha256 = $3, completed_at = $4 WHERE file_id = $1 AND completed_at IS NULL
     RETURNING command_id),
   counted AS (UPDATE station_jobs j SET files_received = files_received + 1 FROM completed c WHERE j.command_id = c.command_id)
   SELECT FROM completed`,
);

/** Makes a file with all its contents visible and counts it for its job. False if it was removed meanwhile. */
export async function complete(
  db: Db,
  { fileId, sizeBytes, sha256, at }: { fileId: string; sizeBytes: number; sha256: Buffer; at: Date },
): Promise<boolean> {
  const { rowCount } = await db.query(markComplete([fileId, sizeBytes, sha256, at]));
  return rowCount === 1;
}

const removeOne = statement('files.remove', 'DELETE FROM files WHERE file_id = $1');

/** Removes a file with its contents and links; false if there is no such file. */
export async function remove(db: Db, fileId: string): Promise<boolean> {
  const { rowCount } = await db.query(removeOne([fileId]));
  return rowCount === 1;
}

/** Changes to firmware details: undefined keeps a value, null clears it. */
export interface FileChange {
  name?: string | undefined;
  firmwareVersion?: string | null | undefined;
  note?: string | null | undefined;
  /** Always changed together. */
  signing?: { signature: string | null; signingCertificate: string | null; isValid: boolean | null };
}

const update = statement(
  'files.change',
  `UPDATE files SET name = coalesce($2, name),
     firmware_version = CASE WHEN $3 THEN $4 ELSE firmware_version END,
     note = CASE WHEN $5 THEN $6 ELSE note END,
     signature = CASE WHEN $7 THEN $8 ELSE signature END,
     signing_certificate = CASE WHEN $7 THEN $9 ELSE signing_certificate END,
     signature_is_valid = CASE WHEN $7 THEN $10 ELSE signature_is_valid END
   WHERE file_id = $1`,
);

export async function change(db: Db, fileId: string, changes: FileChange): Promise<void> {
  const { name, firmwareVersion, note, signing } = changes;
  await db.query(
    update([
      fileId,
      name ?? null,
      firmwareVersion !== undefined,
      firmwareVersion ?? null,
      note !== undefined,
      note ?? null,
      signing !== undefined,
      signing?.signature ?? null,
      signing?.signingCertificate ?? null,
      signing?.isValid ?? null,
    ]),
  );
}

const removeAbandoned = statement(
  'files.removeAbandoned',
  'DELETE FROM files WHERE completed_at IS NULL AND created_at < $1',
);

/** Removes files begun before a time and never completed, as their manager died. */
export async function removeUnfinished(db: Db, before: Date): Promise<void> {
  await db.query(removeAbandoned([before]));
}

const removeOldUploads = statement(
  'files.removeUploads',
  "DELETE FROM files WHERE kind <> 'firmware' AND created_at < $1",
);

/** Removes files that stations uploaded before a time. */
export async function removeUploads(db: Db, before: Date): Promise<void> {
  await db.query(removeOldUploads([before]));
}
