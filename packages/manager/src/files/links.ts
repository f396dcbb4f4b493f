import { createHash, randomBytes } from 'node:crypto';
import * as configuration from '../configuration/configuration.store.ts';
import type { Db } from '../database/database.ts';
import * as fileLinks from './file-links.store.ts';
import type { FileLink } from './file-links.store.ts';
import { nameInUrl } from './file-name.ts';
import type { UploadKind } from './files.store.ts';

const TOKEN_BYTES = 18;
/** Tokens have one length, so that a file name that a station glues to one can be told from it. */
const TOKEN = /^evl_[\w-]{24}/;

/** What a link is followed with. */
export type Transport = 'http' | 'ftp';

export interface LinkOptions {
  /** Where stations reach the manager; undefined for the address that it listens on. */
  publicUrl?: string | undefined;
  /** Where they reach its FTP server; undefined when there is none. */
  ftpUrl?: string | undefined;
  /** How long a link lives. */
  linkMs: number;
  now(): Date;
}

/** A link that is yet to be kept, in the database transaction that records its command. */
export interface Draft {
  location: string;
  keep(db: Db, about: { stationId: string; commandId: string }): Promise<void>;
}

/** There is no URL that stations could use. */
export class NoPublicUrl extends Error {
  override name = 'NoPublicUrl';
}

/** Links to files for stations: unguessable, of one station and one file, and gone after a time. */
export class FileLinks {
  readonly #options: LinkOptions;
  #ownUrl: string | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** Tells the address that the manager listens on: of use where stations can reach it. */
  listensAt(url: string): void {
    const { hostname } = new URL(url);
    if (hostname !== '0.0.0.0' && hostname !== '[::]') this.#ownUrl = url;
  }

  /** A link to fetch a file by, not before a time. Throws NoPublicUrl. */
  toFetch(file: { fileId: string; name: string }, transport: Transport, from?: Date): Draft {
    const base = this.#baseUrl(transport);
    const location = (token: string): string => `${base}/files/${token}/${nameInUrl(file.name)}`;
    return this.#draft(location, { fileId: file.fileId, uploadKind: null }, from);
  }

  /** A link to a directory to bring files to. Throws NoPublicUrl. */
  toUpload(uploadKind: UploadKind, transport: Transport): Draft {
    const base = this.#baseUrl(transport);
    return this.#draft((token) => `${base}/uploads/${token}/`, { fileId: null, uploadKind });
  }

  /** Over FTP where that is all that a station has, by its SupportedFileTransferProtocols, and we serve it; else over HTTP (GetDiagnostics.1). */
  async transportOf(db: Db, stationId: string): Promise<Transport> {
    if (this.#options.ftpUrl === undefined) return 'http';
    const protocols = (await configuration.list(db, stationId, 'SupportedFileTransferProtocols')) ?? [];
    const has = (scheme: string): boolean => protocols.some((name) => name.toLowerCase() === scheme);
    const url = this.#options.publicUrl ?? this.#ownUrl ?? '';
    return has('ftp') && !has(url.startsWith('https:') ? 'https' : 'http') ? 'ftp' : 'http';
  }

  /** The link that a path begins with, and what follows its token; undefined for one that is wrong or has expired. */
  async find(db: Db, path: string): Promise<{ link: FileLink; tokenHash: Buffer; rest: string } | undefined> {
    const [token] = TOKEN.exec(path) ?? [];
    if (token === undefined) return undefined;
    const tokenHash = hashOf(token);
    const link = await fileLinks.find(db, tokenHash, this.#options.now());
    return link && { link, tokenHash, rest: path.slice(token.length) };
  }

  #draft(
    location: (token: string) => string,
    target: Pick<FileLink, 'fileId' | 'uploadKind'>,
    from?: Date,
  ): Draft {
    const token = `evl_${randomBytes(TOKEN_BYTES).toString('base64url')}`;
    const createdAt = this.#options.now();
    const beginMs = Math.max(createdAt.getTime(), from?.getTime() ?? 0);
    const expiresAt = new Date(beginMs + this.#options.linkMs);
    return {
      location: location(token),
      keep: (db, about) =>
        fileLinks.add(db, { ...about, ...target, tokenHash: hashOf(token), createdAt, expiresAt }),
    };
  }

  #baseUrl(transport: Transport): string {
    const { publicUrl, ftpUrl } = this.#options;
    if (transport === 'ftp') {
      if (ftpUrl !== undefined) return ftpUrl;
      throw new NoPublicUrl(
        'files are not served over FTP; set EVANDER_FTP_URL to where stations reach it, such as ftp://csms.example:2121',
      );
    }
    const url = publicUrl ?? this.#ownUrl;
    if (url === undefined)
      throw new NoPublicUrl(
        'stations have no URL to reach files by; set EVANDER_PUBLIC_URL to the one of the managers, such as https://csms.example',
      );
    return url.replace(/(?<!\/)\/+$/, '');
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
