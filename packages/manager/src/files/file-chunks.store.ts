import { statement } from '../database/database.ts';
import type { Db } from '../database/database.ts';

const insert = statement(
  'fileChunks.add',
  'INSERT INTO file_chunks (file_id, chunk_number, bytes) VALUES ($1, $2, $3)',
);

export async function add(
  db: Db,
  chunk: { fileId: string; chunkNumber: number; bytes: Buffer },
): Promise<void> {
  await db.query(insert([chunk.fileId, chunk.chunkNumber, chunk.bytes]));
}

const selectOne = statement(
  'fileChunks.get',
  'SELECT bytes FROM file_chunks WHERE file_id = $1 AND chunk_number = $2',
);

/** A chunk of a file; undefined if the file was removed or ends before it. */
export async function get(db: Db, fileId: string, chunkNumber: number): Promise<Buffer | undefined> {
  const { rows } = await db.query<{ bytes: Buffer }>(selectOne([fileId, chunkNumber]));
  return rows[0]?.bytes;
}
