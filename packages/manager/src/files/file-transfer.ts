import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { Problem } from '../http/problem.ts';
import { LinkUsedUp } from './by-link.ts';
import { FileTooLarge } from './contents.ts';
import type { FileRow } from './file-list.store.ts';
import { WrongDigest } from './files.ts';
import type { Files, Incoming } from './files.ts';
import { namesTag, allowsRange, selectRange } from './range.ts';
import { TooManyTransfers } from './transfers.ts';

/** A connection without traffic for this long is closed. */
const IDLE_MS = 60_000;

/** Sends a file or the requested range of it, with at most a few chunks in memory. */
export function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { file, files }: { file: FileRow; files: Files },
): FastifyReply {
  const { 'if-none-match': ifNoneMatch, 'if-range': ifRange, range: requested } = request.headers;
  const tag = `"${file.sha256}"`;
  describe(reply, file, tag);
  if (namesTag(ifNoneMatch, tag)) return reply.code(304).send();
  const isRange = request.method === 'GET' && allowsRange(textOf(ifRange), tag);
  const selected = selectRange(isRange ? requested : undefined, file.sizeBytes);
  if (selected.status === 416)
    throw new Problem(416, `the range is outside the file, which has ${file.sizeBytes} bytes`, {
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

/** The unparsed body of a request. Throws FileTooLarge if its Content-Length exceeds `maxBytes`. */
export function incoming(
  request: FastifyRequest,
  { maxBytes, sha256 }: Pick<Incoming, 'maxBytes' | 'sha256'>,
): Incoming {
  if (Number(request.headers['content-length']) > maxBytes) throw new FileTooLarge(maxBytes);
  return { source: bytesOf(request), maxBytes, sha256 };
}

/** A request's body as a stream. Not reading it to its end does not prevent a response. */
function bytesOf({ raw }: FastifyRequest): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => raw.iterator({ destroyOnReturn: false }) };
}

/** Receives an upload as one of the allowed transfers; converts errors to Problems. */
export async function receive<T>(request: FastifyRequest, files: Files, work: () => Promise<T>): Promise<T> {
  const end = beginTransfer(request, files);
  try {
    return await work();
  } catch (error) {
    // The client is gone and does not see this, but it must not count as a database error.
    if (request.raw.destroyed && !request.raw.complete)
      throw new Problem(400, 'the upload was aborted; send it again');
    throw problemOf(error);
  } finally {
    end();
  }
}

function beginTransfer({ raw }: FastifyRequest, { transfers }: Files): () => void {
  try {
    const end = transfers.begin();
    // The server's own timeout is longer.
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

// The rest of the body is not read, so the connection must end after the response.
const CLOSE = { connection: 'close' };

function problemOf(error: unknown): unknown {
  if (error instanceof FileTooLarge)
    return new Problem(413, `${error.message}, the maximum`, { headers: CLOSE });
  if (error instanceof LinkUsedUp) return new Problem(409, error.message);
  if (error instanceof WrongDigest) return new Problem(422, `${error.message}; send it again`);
  if (error instanceof TooManyTransfers)
    return new Problem(503, error.message, { headers: { ...CLOSE, 'retry-after': '10' } });
  return error;
}

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
