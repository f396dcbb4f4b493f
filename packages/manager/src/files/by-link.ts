import type { Database, Db } from '../database/database.ts';
import * as fileLinks from './file-links.store.ts';
import * as fileList from './file-list.store.ts';
import type { FileRow } from './file-list.store.ts';
import { fileNameOf } from './file-name.ts';
import type { UploadKind } from './files.store.ts';
import type { Files } from './files.ts';

/** Files that one link accepts: stations retry, and some send more than one. */
export const FILES_PER_LINK = 10;

/** The link has reached its limit of files. */
export class LinkUsedUp extends Error {
  override name = 'LinkUsedUp';
}

/** Target of an upload link. */
export interface UploadPlace {
  stationId: string;
  commandId: string;
  kind: UploadKind;
  /** The path after the token: usually a slash and the file name. */
  rest: string;
  /** Stores one file. Rejects with LinkUsedUp or FileTooLarge. */
  store(name: string, source: AsyncIterable<Buffer>): Promise<FileRow>;
}

/** Downloads and uploads of stations by their links, for HTTP and FTP. A path begins with a link's token. */
export class FilesByLink {
  readonly files: Files;
  readonly #database: Database;

  constructor(files: Files, database: Database) {
    this.files = files;
    this.#database = database;
  }

  /** The file that a path links to; its name in the path is ignored. Undefined for an unknown or expired link. */
  async toFetch(path: string): Promise<FileRow | undefined> {
    const found = await this.files.links.find(this.#database, path);
    if (!found?.rest.startsWith('/') || found.link.fileId === null) return undefined;
    return fileList.get(this.#database, found.link.fileId);
  }

  /** The upload target of a path; undefined for an unknown or expired link. */
  async toUpload(path: string): Promise<UploadPlace | undefined> {
    const found = await this.files.links.find(this.#database, path);
    const kind = found?.link.uploadKind ?? null;
    if (!found || kind === null) return undefined;
    const { link, tokenHash, rest } = found;
    const { stationId, commandId } = link;
    const { maxUploadBytes: maxBytes } = this.files.options;
    const store: UploadPlace['store'] = (name, source) => {
      const fallback = fileNameOf(`${stationId}-${kind}`, kind);
      const about = { kind, stationId, commandId, name: fileNameOf(name, fallback) };
      return this.files.store(about, { source, maxBytes }, (db) => requireRoom(db, { tokenHash, commandId }));
    };
    return { stationId, commandId, kind, rest, store };
  }
}

async function requireRoom(db: Db, link: { tokenHash: Buffer; commandId: string }): Promise<void> {
  if ((await fileLinks.countUploads(db, link.tokenHash, link.commandId)) < FILES_PER_LINK) return;
  throw new LinkUsedUp(`this link has received ${FILES_PER_LINK} files; no more are accepted`);
}
