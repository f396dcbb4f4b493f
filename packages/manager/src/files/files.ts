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
  /** Where stations reach the manager; undefined for the address that it listens on. */
  publicUrl?: string | undefined;
  /** Where they reach the FTP server; undefined when there is none. */
  ftpUrl?: string | undefined;
  maxFirmwareBytes: number;
  /** Of what a station uploads. */
  maxUploadBytes: number;
  /** How long a link that a station was sent lives. */
  linkMs: number;
  /** How long uploads of stations are kept. */
  keepUploadsMs: number;
  /** At once, in one manager. */
  maxTransfers: number;
}

/** Something else came than its sender said. */
export class WrongDigest extends Error {
  override name = 'WrongDigest';
}

/** What comes, and how much of it may. */
export interface Incoming {
  source: AsyncIterable<Buffer>;
  maxBytes: number;
  /** What the contents must hash to, in hexadecimal. */
  sha256?: string | undefined;
}

/** Files: their contents, the links that stations have to them, and how many may be under way. */
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
   * Keeps a file; nothing is left of one that fails. `admit` runs in the database transaction that notes it, and may refuse it.
   * Rejects with FileTooLarge or WrongDigest.
   */
  async keep(
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
      if (!file) throw new Error(`file ${fileId} was removed while it came`);
      return file;
    } catch (error) {
      // Where even that fails, cleanup removes it.
      await this.contents.remove(fileId).catch(() => false);
      throw error;
    }
  }
}
