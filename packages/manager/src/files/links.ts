import { createHash, randomBytes } from 'node:crypto';
import * as configuration from '../configuration/configuration.store.ts';
import type { Db } from '../database/database.ts';
import * as fileLinks from './file-links.store.ts';
import type { FileLink } from './file-links.store.ts';
import { nameInUrl } from './file-name.ts';
import type { UploadKind } from './files.store.ts';

const TOKEN_BYTES = 18;
/** Tokens have a fixed length, to separate them from a file name that a station appends without a slash. */
const TOKEN = /^evl_[\w-]{24}/;

/** Protocol of a link. */
export type Transport = 'http' | 'ftp';

export interface LinkOptions {
  /** URL at which stations reach the manager; undefined for the address that it listens on. */
  publicUrl?: string | undefined;
  /** URL at which they reach its FTP server; undefined if there is none. */
  ftpUrl?: string | undefined;
  /** How long a link is valid. */
  linkMs: number;
  now(): Date;
}

/** A link that must still be stored, in the database transaction that records its command. */
export interface Draft {
  location: string;
  store(db: Db, about: { stationId: string; commandId: string }): Promise<void>;
}

/** There is no URL at which stations can reach files. */
export class NoPublicUrl extends Error {
  override name = 'NoPublicUrl';
}

/** Links for stations: unguessable, for one command, and valid for a limited time. */
export class FileLinks {
  readonly #options: LinkOptions;
  #ownUrl: string | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** Sets the address that the manager listens on, unless it is a wildcard address. */
  setOwnUrl(url: string): void {
    const { hostname } = new URL(url);
    if (hostname !== '0.0.0.0' && hostname !== '[::]') this.#ownUrl = url;
  }

  /** A link to download a file; its validity begins at `from` if that is in the future. Throws NoPublicUrl. */
  toFetch(file: { fileId: string; name: string }, transport: Transport, from?: Date): Draft {
    const base = this.#baseUrl(transport);
    const location = (token: string): string => `${base}/files/${token}/${nameInUrl(file.name)}`;
    return this.#draft(location, { fileId: file.fileId, uploadKind: null }, from);
  }

  /** A link to a directory for uploads. Throws NoPublicUrl. */
  toUpload(uploadKind: UploadKind, transport: Transport): Draft {
    const base = this.#baseUrl(transport);
    return this.#draft((token) => `${base}/uploads/${token}/`, { fileId: null, uploadKind });
  }

  /** FTP if Evander serves it and the station supports nothing else by its SupportedFileTransferProtocols; otherwise HTTP (GetDiagnostics.1). */
  async transportOf(db: Db, stationId: string): Promise<Transport> {
    if (this.#options.ftpUrl === undefined) return 'http';
    const protocols = (await configuration.list(db, stationId, 'SupportedFileTransferProtocols')) ?? [];
    const has = (scheme: string): boolean => protocols.some((name) => name.toLowerCase() === scheme);
    const url = this.#options.publicUrl ?? this.#ownUrl ?? '';
    return has('ftp') && !has(url.startsWith('https:') ? 'https' : 'http') ? 'ftp' : 'http';
  }

  /** The link of the token at the beginning of a path, and the rest of the path. Undefined for an unknown or expired link. */
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
      store: (db, about) =>
        fileLinks.add(db, { ...about, ...target, tokenHash: hashOf(token), createdAt, expiresAt }),
    };
  }

  #baseUrl(transport: Transport): string {
    const { publicUrl, ftpUrl } = this.#options;
    if (transport === 'ftp') {
      if (ftpUrl !== undefined) return ftpUrl;
      throw new NoPublicUrl(
        'files are not served over FTP; set EVANDER_FTP_URL to the URL at which stations reach the FTP server, such as ftp://csms.example:2121',
      );
    }
    const url = publicUrl ?? this.#ownUrl;
    if (url === undefined)
      throw new NoPublicUrl(
        'there is no URL at which stations can reach files; set EVANDER_PUBLIC_URL to that of the managers, such as https://csms.example',
      );
    return url.replace(/(?<!\/)\/+$/, '');
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
