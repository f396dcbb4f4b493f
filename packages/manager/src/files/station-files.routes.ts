import { Type } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiContext } from '../api-context.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import { FILES_PER_LINK, FilesByLink } from './by-link.ts';
import type { FileRow } from './file-list.store.ts';
import { incoming, receive, sendFile } from './file-transfer.ts';
import { FILE_RESPONSES } from './files.schemas.ts';
import type { Files } from './files.ts';
import { isMultipart, NotMultipart, readForm } from './multipart.ts';

const Params = Type.Object({
  token: Type.String({ description: 'The key of the link that a command sent to the station' }),
  name: Type.String({ description: 'For stations that need a file name; it is ignored' }),
});
const config = { role: 'anyone' } as const;
const tags = ['files'];

/** Routes where stations download and upload files, by links that commands sent to them; no API key needed. */
export function stationFileRoutes(app: App, { database, files }: ApiContext): void {
  const byLink = new FilesByLink(files, database);
  addDownload(app, byLink);
  void app.register(async (raw) => {
    // Stations send any Content-Type or none; bodies are read as streams.
    raw.removeAllContentTypeParsers();
    raw.addContentTypeParser('*', (_request, _payload, done) => done(null));
    raw.route({
      method: ['PUT', 'POST'],
      url: '/uploads/*',
      config,
      schema: { hide: true },
      handler: (request, reply) => takeUpload(request, reply, byLink),
    });
  });
}

function addDownload(app: App, byLink: FilesByLink): void {
  const { files } = byLink;
  const send = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const file = await byLink.toFetch(pathAfter(request, '/files/'));
    if (!file) throw noSuchLink();
    return sendFile(request, reply, { file, files });
  };
  const schema = {
    operationId: 'fetchFile',
    summary: 'A file for the station that has the link, or the part that a Range header names',
    tags,
    params: Params,
    response: FILE_RESPONSES,
  };
  app.get('/files/:token/:name', { config, exposeHeadRoute: false, schema }, send);
  app.head('/files/:token/:name', { config, schema: { params: Params, hide: true } }, send);
}

/** The same for wrong and expired links, to reveal nothing. */
function noSuchLink(): Problem {
  return new Problem(404, 'the link is wrong or has expired; ask the operator for a new one');
}

async function takeUpload(
  request: FastifyRequest,
  reply: FastifyReply,
  byLink: FilesByLink,
): Promise<FastifyReply> {
  const place = await byLink.toUpload(pathAfter(request, '/uploads/'));
  if (!place) throw noSuchLink();
  // A part stored as the whole file would be a damaged file (RFC 9110 §14.5).
  if (request.headers['content-range'] !== undefined)
    throw new Problem(400, 'partial uploads are not accepted; send the whole file without Content-Range');
  const stored: FileRow[] = [];
  const store = async (name: string, source: AsyncIterable<Buffer>): Promise<void> => {
    stored.push(await place.store(name, source));
  };
  const lastPart = decode(place.rest.split('?', 1)[0] ?? '');
  const { files } = byLink;
  await receive(request, files, () => readUpload(request, files, { lastPart, store }));
  const { stationId, commandId, kind } = place;
  const fileIds = stored.map(({ fileId }) => fileId);
  request.log.info({ stationId, commandId, kind, fileIds }, 'a station has uploaded files');
  return reply
    .code(201)
    .send({ files: stored.map(({ name, sizeBytes, sha256 }) => ({ name, sizeBytes, sha256 })) });
}

async function readUpload(
  request: FastifyRequest,
  files: Files,
  upload: { lastPart: string; store(name: string, source: AsyncIterable<Buffer>): Promise<void> },
): Promise<void> {
  const { lastPart, store } = upload;
  if (request.method === 'POST' && isMultipart(request.raw)) {
    try {
      const count = await readForm(request.raw, FILES_PER_LINK, (name, source) =>
        store(name === '' ? lastPart : name, source),
      );
      if (count === 0) throw new NotMultipart('the form contains no file');
    } catch (error) {
      throw error instanceof NotMultipart ? new Problem(400, `body: ${error.message}`) : error;
    }
    return;
  }
  const { source } = incoming(request, { maxBytes: files.options.maxUploadBytes });
  await store(lastPart, source);
}

/** The URL after a prefix, not decoded. */
function pathAfter({ url }: FastifyRequest, prefix: string): string {
  return url.slice(url.indexOf(prefix) + prefix.length);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
