import { randomUUID } from 'node:crypto';
import type { Database, Db } from '../database/database.ts';
import { PostgresContents } from './contents.ts';
import type { FileContents } from './contents.ts';
import * as fileList from './file-list.store.ts';
import type { FileRow } from './file-list.store.ts';
import * as files from './files.store.ts';
import type { NewFile } from './files.store.ts';
import { FileLinks } from './links.ts';
import { Transfers } from './transfers.ts';

export interface FileOptions {
  /** URL at which stations reach the manager; undefined for the address that it listens on. */
  publicUrl?: string | undefined;
  /** URL at which they reach the FTP server; undefined if there is none. */
  ftpUrl?: string | undefined;
  maxFirmwareBytes: number;
  /** Maximum size of an upload of a station. */
  maxUploadBytes: number;
  /** How long links for stations are valid. */
  linkMs: number;
  /** How long uploads of stations are kept. */
  keepUploadsMs: number;
  /** Maximum number of concurrent transfers per manager. */
  maxTransfers: number;
}

/** The contents do not have the expected hash. */
export class WrongDigest extends Error {
  override name = 'WrongDigest';
}

/** Contents to receive, and their limits. */
export interface Incoming {
  source: AsyncIterable<Buffer>;
  maxBytes: number;
  /** Expected SHA-256 of the contents, in hexadecimal. */
  sha256?: string | undefined;
}

/** Files: their contents, the stations' links to them, and the limit of concurrent transfers. */
export class Files {
  readonly options: FileOptions;
  readonly contents: FileContents;
  readonly links: FileLinks;
  readonly transfers: Transfers;
  readonly #database: Database;
  readonly #now: () => Date;

  constructor(database: Database, options: FileOptions, now: () => Date) {
    this.options = options;
    this.contents = new PostgresContents(database);
    this.links = new FileLinks({ ...options, now });
    this.transfers = new Transfers(options.maxTransfers);
    this.#database = database;
    this.#now = now;
  }

  /**
   * Stores a file; a failure leaves nothing behind. `admit` runs in the database transaction that adds the file and may reject it.
   * Rejects with FileTooLarge or WrongDigest.
   */
  async store(
    about: Omit<NewFile, 'fileId' | 'createdAt'>,
    { source, maxBytes, sha256 }: Incoming,
    admit: (db: Db) => Promise<void> = async () => {},
  ): Promise<FileRow> {
    const fileId = randomUUID();
    await this.#database.transaction(async (db) => {
      await admit(db);
      await files.begin(db, { ...about, fileId, createdAt: this.#now() });
    });
    try {
      const stored = await this.contents.write(fileId, source, maxBytes);
      const found = stored.sha256.toString('hex');
      if (sha256 !== undefined && sha256.toLowerCase() !== found)
        throw new WrongDigest(`the contents have the SHA-256 ${found}, not ${sha256}`);
      await files.complete(this.#database, { fileId, ...stored, at: this.#now() });
      const file = await fileList.get(this.#database, fileId);
      if (!file) throw new Error(`file ${fileId} was removed during its upload`);
      return file;
    } catch (error) {
      // If this fails too, cleanup removes it.
      await this.contents.remove(fileId).catch(() => false);
      throw error;
    }
  }
}
