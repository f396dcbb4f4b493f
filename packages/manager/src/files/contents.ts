import { createHash } from 'node:crypto';
import type { Database } from '../database/database.ts';
import * as fileChunks from './file-chunks.store.ts';
import * as files from './files.store.ts';

/** Size of a stored chunk. A transfer holds a few chunks in memory. */
export const CHUNK_BYTES = 262_144;

export interface Stored {
  sizeBytes: number;
  sha256: Buffer;
}

/** Storage of file contents: PostgreSQL, or an object store by the same interface (docs/decisions/0007). */
export interface FileContents {
  /** Stores `source`. Rejects with FileTooLarge if it exceeds `maxBytes`. After a failure the caller must call `remove`. */
  write(fileId: string, source: AsyncIterable<Buffer>, maxBytes: number): Promise<Stored>;
  /** The bytes from `start` to `end`, inclusive. Rejects if the file was removed. */
  read(fileId: string, range: ByteRange): AsyncIterable<Buffer>;
  /** Removes a file with its contents; false if there is no such file. */
  remove(fileId: string): Promise<boolean>;
}

export interface ByteRange {
  start: number;
  end: number;
}

/** The file exceeds the allowed size. */
export class FileTooLarge extends Error {
  override name = 'FileTooLarge';
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    super(`the file has more than ${maxBytes} bytes`);
    this.maxBytes = maxBytes;
  }
}

/** Contents in PostgreSQL, one row per chunk, so that slow clients hold no database connection. */
export class PostgresContents implements FileContents {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async write(fileId: string, source: AsyncIterable<Buffer>, maxBytes: number): Promise<Stored> {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    let chunkNumber = 0;
    for await (const bytes of inChunks(limited(source, maxBytes))) {
      hash.update(bytes);
      sizeBytes += bytes.length;
      await fileChunks.add(this.#database, { fileId, chunkNumber, bytes });
      chunkNumber++;
    }
    return { sizeBytes, sha256: hash.digest() };
  }

  async *read(fileId: string, { start, end }: ByteRange): AsyncGenerator<Buffer> {
    for (let at = start; at <= end;) {
      const chunkNumber = Math.floor(at / CHUNK_BYTES);
      const chunk = await fileChunks.get(this.#database, fileId, chunkNumber);
      const offset = at - chunkNumber * CHUNK_BYTES;
      const bytes = chunk?.subarray(offset, offset + end - at + 1);
      if (!bytes?.length)
        throw new Error(`file ${fileId} was removed, or its chunk ${chunkNumber} is missing`);
      yield bytes;
      at += bytes.length;
    }
  }

  remove(fileId: string): Promise<boolean> {
    return files.remove(this.#database, fileId);
  }
}

async function* limited(source: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const part of source) {
    bytes += part.length;
    if (bytes > maxBytes) throw new FileTooLarge(maxBytes);
    yield part;
  }
}

/** The same bytes in chunks of equal size, except for the last. */
async function* inChunks(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let length = 0;
  for await (const part of source) {
    waiting.push(part);
    length += part.length;
    if (length < CHUNK_BYTES) continue;
    let all = Buffer.concat(waiting);
    for (; all.length >= CHUNK_BYTES; all = all.subarray(CHUNK_BYTES)) yield all.subarray(0, CHUNK_BYTES);
    waiting = [all];
    length = all.length;
  }
  if (length > 0) yield Buffer.concat(waiting);
}
