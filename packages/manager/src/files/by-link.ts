import type { Database, Db } from '../database/database.ts';
import * as fileLinks from './file-links.store.ts';
import * as fileList from './file-list.store.ts';
import type { FileRow } from './file-list.store.ts';
import { fileNameOf } from './file-name.ts';
import type { UploadKind } from './files.store.ts';
import type { Files } from './files.ts';

/** Files that one link takes: stations try again, and some send more than one. */
export const FILES_PER_LINK = 10;

/** A link has brought as many files as it may. */
export class LinkUsedUp extends Error {
  override name = 'LinkUsedUp';
}

/** The place that a link to uploads names. */
export interface UploadPlace {
  stationId: string;
  commandId: string;
  kind: UploadKind;
  /** What follows the token in the path: a slash and the file's name, or what a station makes of that. */
  rest: string;
  /** Keeps one file. Rejects with LinkUsedUp or FileTooLarge. */
  keep(name: string, source: AsyncIterable<Buffer>): Promise<FileRow>;
}

/** What stations reach by their links, in whatever protocol; a path begins with a link's token. */
export class FilesByLink {
  readonly files: Files;
  readonly #database: Database;

  constructor(files: Files, database: Database) {
    this.files = files;
    this.#database = database;
  }

  /** The file that a path leads to, whatever it is called there; undefined for a link that is wrong or has expired. */
  async toFetch(path: string): Promise<FileRow | undefined> {
    const found = await this.files.links.find(this.#database, path);
    if (!found?.rest.startsWith('/') || found.link.fileId === null) return undefined;
    return fileList.get(this.#database, found.link.fileId);
  }

  /** Where a path takes uploads; undefined for a link that is wrong or has expired. */
  async toUpload(path: string): Promise<UploadPlace | undefined> {
    const found = await this.files.links.find(this.#database, path);
    const kind = found?.link.uploadKind ?? null;
    if (!found || kind === null) return undefined;
    const { link, tokenHash, rest } = found;
    const { stationId, commandId } = link;
    const { maxUploadBytes: maxBytes } = this.files.options;
    const keep: UploadPlace['keep'] = (name, source) => {
      const fallback = fileNameOf(`${stationId}-${kind}`, kind);
      const about = { kind, stationId, commandId, name: fileNameOf(name, fallback) };
      return this.files.keep(about, { source, maxBytes }, (db) => requireRoom(db, { tokenHash, commandId }));
    };
    return { stationId, commandId, kind, rest, keep };
  }
}

async function requireRoom(db: Db, link: { tokenHash: Buffer; commandId: string }): Promise<void> {
  if ((await fileLinks.countUploads(db, link.tokenHash, link.commandId)) < FILES_PER_LINK) return;
  throw new LinkUsedUp(`this link has brought ${FILES_PER_LINK} files; no more are taken`);
}
