import { createHash, randomBytes } from 'node:crypto';
import type { Db } from '../store/db.ts';
import * as fileLinks from '../store/file-links.ts';
import type { FileLink } from '../store/file-links.ts';
import type { UploadKind } from '../store/files.ts';
import { nameInUrl } from './file-name.ts';

const TOKEN_BYTES = 18;
/** Tokens have one length, so that a file name that a station glues to one can be told from it. */
const TOKEN = /^evl_[\w-]{24}/;

export interface LinkOptions {
  /** Where stations reach the manager; undefined for the address that it listens on. */
  publicUrl?: string | undefined;
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
  toFetch(file: { fileId: string; name: string }, from?: Date): Draft {
    const path = (token: string): string => `files/${token}/${nameInUrl(file.name)}`;
    return this.#draft(path, { fileId: file.fileId, uploadKind: null }, from);
  }

  /** A link to a directory to bring files to. Throws NoPublicUrl. */
  toUpload(uploadKind: UploadKind): Draft {
    return this.#draft((token) => `uploads/${token}/`, { fileId: null, uploadKind });
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
    path: (token: string) => string,
    target: Pick<FileLink, 'fileId' | 'uploadKind'>,
    from?: Date,
  ): Draft {
    const token = `evl_${randomBytes(TOKEN_BYTES).toString('base64url')}`;
    const createdAt = this.#options.now();
    const beginMs = Math.max(createdAt.getTime(), from?.getTime() ?? 0);
    const expiresAt = new Date(beginMs + this.#options.linkMs);
    return {
      location: `${this.#baseUrl()}/${path(token)}`,
      keep: (db, about) =>
        fileLinks.add(db, { ...about, ...target, tokenHash: hashOf(token), createdAt, expiresAt }),
    };
  }

  #baseUrl(): string {
    const url = this.#options.publicUrl ?? this.#ownUrl;
    if (url === undefined)
      throw new NoPublicUrl(
        'stations have no URL to reach files by; set EVANDER_PUBLIC_URL to the one of the managers, such as https://csms.example',
      );
    return url.replace(/\/+$/, '');
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
