import type { Log } from '@evander/process';
import type { Socket } from 'node:net';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import type { Writable } from 'node:stream';
import { LinkUsedUp } from './by-link.ts';
import type { FilesByLink, UploadPlace } from './by-link.ts';
import { FileTooLarge } from './contents.ts';
import type { FileRow } from './file-list.store.ts';
import { uploadInto } from './ftp-upload.ts';
import { TooManyTransfers } from './transfers.ts';

/** A connection without traffic for this long is closed. */
export const IDLE_MS = 60_000;

/** The part of an ftp-srv connection that is used here. */
export interface FtpConnection {
  commandSocket: Socket;
  connector: { socket: Socket | null };
}

/** What ftp-srv needs to know about a file or directory. */
interface Stat {
  name: string;
  size: number;
  mtime: Date;
  mode: number;
  uid: number;
  gid: number;
  isDirectory(): boolean;
}

/** The client asked for something that does not exist or is not allowed. */
class Refusal extends Error {
  override name = 'Refusal';
}

/** The same for wrong and expired links, to reveal nothing. */
const NOTHING_HERE = 'the link is wrong or has expired; ask the operator for a new one';
const INTERNAL_ERROR = 'this cannot be done now; try again in a moment';

/** The directory tree of one connection: /files/<token>/<name> and /uploads/<token>/; nothing is visible without a token. */
export class LinkFileSystem {
  readonly #byLink: FilesByLink;
  readonly #connection: FtpConnection;
  readonly #log: Log;
  #directory = '/';

  constructor(byLink: FilesByLink, connection: FtpConnection, log: Log) {
    this.#byLink = byLink;
    this.#connection = connection;
    this.#log = log;
  }

  currentDirectory(): string {
    return this.#directory;
  }

  chdir(path = '.'): Promise<string> {
    return this.#guarded(async () => {
      const target = this.#resolve(path);
      if (!(await this.#isDirectory(target))) throw new Refusal(NOTHING_HERE);
      this.#directory = target;
      return target;
    });
  }

  get(path: string): Promise<Stat> {
    return this.#guarded(async () => {
      const target = this.#resolve(path);
      const file = await this.#fileAt(target);
      if (file && isInside(target)) return statOf(file);
      if (await this.#isDirectory(target))
        return { ...statOf({ name: posix.basename(target), sizeBytes: 0 }), isDirectory: () => true };
      throw new Refusal(NOTHING_HERE);
    });
  }

  /** The file of a download link; uploads are not listed. */
  list(path = '.'): Promise<Stat[]> {
    return this.#guarded(async () => {
      const file = await this.#fileAt(this.#resolve(path));
      return file ? [statOf(file)] : [];
    });
  }

  read(
    path: string,
    { start = 0 }: { start?: number } = {},
  ): Promise<{ stream: Readable; clientPath: string }> {
    return this.#guarded(async () => {
      const target = this.#resolve(path);
      const file = isInside(target) ? await this.#fileAt(target) : undefined;
      if (!file) throw new Refusal(NOTHING_HERE);
      const { fileId, sizeBytes } = file;
      if (start > sizeBytes)
        throw new Refusal(`the file has ${sizeBytes} bytes; offset ${start} is past its end`);
      const { contents } = this.#byLink.files;
      const end = this.#begin();
      const range = { start, end: sizeBytes - 1 };
      const stream = Readable.from(contents.read(fileId, range), { highWaterMark: 1 });
      stream.once('close', end);
      this.#watch(stream, () => stream.readableEnded);
      return { stream, clientPath: target };
    });
  }

  write(
    path: string,
    { append = false, start = 0 }: { append?: boolean; start?: number } = {},
  ): Promise<{ stream: Writable; clientPath: string }> {
    return this.#guarded(async () => {
      const target = this.#resolve(path);
      const place = await this.#placeAt(target);
      if (!place) throw new Refusal(NOTHING_HERE);
      if (append || start > 0)
        throw new Refusal('partial uploads are not accepted; send the file from its beginning');
      const end = this.#begin();
      // Not with a `close` listener on the stream: with one, ftp-srv would never end the stream.
      const stream = uploadInto((source) => this.#guarded(() => this.#store(place, source)).finally(end));
      this.#watch(stream, () => stream.writableEnded);
      return { stream, clientPath: target };
    });
  }

  async #store(place: UploadPlace, source: AsyncIterable<Buffer>): Promise<FileRow> {
    const { stationId, commandId, kind, rest } = place;
    const file = await place.store(rest, source);
    this.#log.info(
      { stationId, commandId, kind, fileIds: [file.fileId] },
      'a station has uploaded a file over FTP',
    );
    return file;
  }

  #resolve(path: string): string {
    return posix.resolve(this.#directory, path);
  }

  async #isDirectory(target: string): Promise<boolean> {
    if (['/', '/files', '/uploads'].includes(target)) return true;
    if (await this.#placeAt(target)) return true;
    return !isInside(target) && (await this.#fileAt(`${target}/`)) !== undefined;
  }

  async #fileAt(target: string): Promise<FileRow | undefined> {
    const path = pathIn('files', target);
    return path === undefined ? undefined : this.#byLink.toFetch(isInside(target) ? path : `${path}/`);
  }

  async #placeAt(target: string): Promise<UploadPlace | undefined> {
    const path = pathIn('uploads', target);
    return path === undefined ? undefined : this.#byLink.toUpload(path);
  }

  // ftp-srv would treat a long transfer as an idle connection.
  #begin(): () => void {
    const end = this.#byLink.files.transfers.begin();
    const { commandSocket } = this.#connection;
    commandSocket.setTimeout(0);
    return () => {
      end();
      commandSocket.setTimeout(IDLE_MS);
    };
  }

  // ftp-srv does not notice a data connection that closes during a transfer.
  #watch(stream: Readable | Writable, isOver: () => boolean): void {
    const { socket } = this.#connection.connector;
    socket?.setTimeout(IDLE_MS, () => socket.destroy());
    socket?.once('close', () => {
      if (!isOver())
        stream.destroy(new Refusal('the data connection was closed before the file was complete'));
    });
    stream.once('error', (error) => this.#log.debug({ err: error }, 'a transfer over FTP has failed'));
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const isClientError = [Refusal, LinkUsedUp, FileTooLarge, TooManyTransfers].some(
        (one) => error instanceof one,
      );
      if (isClientError) throw error;
      this.#log.error({ err: error }, 'a request over FTP failed');
      throw new Error(INTERNAL_ERROR, { cause: error });
    }
  }
}

function pathIn(area: 'files' | 'uploads', target: string): string | undefined {
  const prefix = `/${area}/`;
  return target.startsWith(prefix) ? target.slice(prefix.length) : undefined;
}

/** Whether a path is inside the directory of a token. */
function isInside(target: string): boolean {
  return target.split('/').length > 3;
}

function statOf({ name, sizeBytes }: Pick<FileRow, 'name' | 'sizeBytes'>): Stat {
  const unknown = new Date(0);
  return { name, size: sizeBytes, mtime: unknown, mode: 0o444, uid: 0, gid: 0, isDirectory: () => false };
}
