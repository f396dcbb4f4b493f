import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { Problem } from '../http/problem.ts';
import { LinkUsedUp } from './by-link.ts';
import { FileTooLarge } from './contents.ts';
import type { FileRow } from './file-list.store.ts';
import { WrongDigest } from './files.ts';
import type { Files, Incoming } from './files.ts';
import { namesTag, rangeIsMeant, selectRange } from './range.ts';
import { TooManyTransfers } from './transfers.ts';

/** A peer that neither sends nor takes anything for so long is given up. */
const IDLE_MS = 60_000;

/** Sends a file or the part of it that is asked for, never more of it in memory than a few chunks. */
export function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { file, files }: { file: FileRow; files: Files },
): FastifyReply {
  const { 'if-none-match': ifNoneMatch, 'if-range': ifRange, range: desired } = request.headers;
  const tag = `"${file.sha256}"`;
  describe(reply, file, tag);
  if (namesTag(ifNoneMatch, tag)) return reply.code(304).send();
  const isRange = request.method === 'GET' && rangeIsMeant(textOf(ifRange), tag);
  const selected = selectRange(isRange ? desired : undefined, file.sizeBytes);
  if (selected.status === 416)
    throw new Problem(416, `the range lies outside of the file, which has ${file.sizeBytes} bytes`, {
      headers: { 'content-range': `bytes */${file.sizeBytes}` },
    });
  const { start, end } = selected.range;
  void reply.code(selected.status).header('content-length', String(end - start + 1));
  if (selected.status === 206) void reply.header('content-range', `bytes ${start}-${end}/${file.sizeBytes}`);
  if (request.method === 'HEAD') return reply.send();
  const endTransfer = beginTransfer(request, files);
  const stream = Readable.from(files.contents.read(file.fileId, selected.range), { highWaterMark: 1 });
  stream.once('close', endTransfer);
  return reply.send(stream);
}

/** What a request without a JSON body brings, as it comes. */
export function incoming(
  request: FastifyRequest,
  { maxBytes, sha256 }: Pick<Incoming, 'maxBytes' | 'sha256'>,
): Incoming {
  if (Number(request.headers['content-length']) > maxBytes) throw new FileTooLarge(maxBytes);
  return { source: bytesOf(request), maxBytes, sha256 };
}

/** A request's body as it comes. Who stops reading before its end can still answer. */
function bytesOf({ raw }: FastifyRequest): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => raw.iterator({ destroyOnReturn: false }) };
}

/** Takes in what a peer sends, with what can go wrong told as problems. */
export async function receive<T>(request: FastifyRequest, files: Files, work: () => Promise<T>): Promise<T> {
  const end = beginTransfer(request, files);
  try {
    return await work();
  } catch (error) {
    // Nobody hears this; but it is no fault of the database.
    if (request.raw.destroyed && !request.raw.complete)
      throw new Problem(400, 'the upload was broken off; send it again');
    throw problemOf(error);
  } finally {
    end();
  }
}

function beginTransfer({ raw }: FastifyRequest, { transfers }: Files): () => void {
  try {
    const end = transfers.begin();
    // The server itself ends sockets that are idle for longer.
    raw.socket.setTimeout(IDLE_MS);
    return end;
  } catch (error) {
    throw problemOf(error);
  }
}

function describe(reply: FastifyReply, { name, sha256, kind }: FileRow, etag: string): void {
  const ascii = name.replace(/[^\u0020-\u007e]|["\\%]/g, '_');
  void reply.headers({
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-cache',
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename="${ascii}"; filename*=UTF-8''${encodeRfc8187(name)}`,
    ...(kind === 'firmware' && {
      'repr-digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`,
    }),
  });
}

function encodeRfc8187(text: string): string {
  return encodeURIComponent(text).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

// The rest of the body is not read: the connection has to end with the answer.
const CLOSE = { connection: 'close' };

function problemOf(error: unknown): unknown {
  if (error instanceof FileTooLarge)
    return new Problem(413, `${error.message}, which are the most that are taken`, { headers: CLOSE });
  if (error instanceof LinkUsedUp) return new Problem(409, error.message);
  if (error instanceof WrongDigest) return new Problem(422, `${error.message}; send it again`);
  if (error instanceof TooManyTransfers)
    return new Problem(503, error.message, { headers: { ...CLOSE, 'retry-after': '10' } });
  return error;
}

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
