import { Type } from '@fastify/type-provider-typebox';
import type { Static, TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyContextConfig, FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiContext } from '../api-context.ts';
import { JobId, oneOf } from '../http/fields.ts';
import { listQuery, pageOf, Pager } from '../http/paging.ts';
import { answerProblem, Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import { fileOfForm } from './file-form.ts';
import * as fileList from './file-list.store.ts';
import type { FileRow } from './file-list.store.ts';
import { fileNameOf } from './file-name.ts';
import { incoming, receive, sendFile } from './file-transfer.ts';
import {
  File,
  FILE_RESPONSES,
  FileContents,
  FileName,
  FileParams,
  findFile,
  FirmwareVersion,
  Note,
} from './files.schemas.ts';
import { FILE_KINDS } from './files.store.ts';
import { isMultipart } from './multipart.ts';

const UploadQuery = Type.Object(
  {
    name: Type.Optional({ ...FileName, description: 'Name of the file; a form may contain it' }),
    kind: Type.Optional(oneOf(['firmware'], 'The only kind that the API accepts')),
    firmwareVersion: Type.Optional(FirmwareVersion),
    note: Type.Optional(Note),
    sha256: Type.Optional(
      Type.String({
        pattern: '^[\\da-fA-F]{64}$',
        description: 'Expected SHA-256 of the contents, 64 hexadecimal digits',
      }),
    ),
  },
  { additionalProperties: false },
);
type Upload = Static<typeof UploadQuery>;
const Query = listQuery({
  kind: Type.Optional(oneOf(FILE_KINDS, 'Only files of this kind')),
  stationId: Type.Optional(Type.String({ description: 'The station that uploaded it' })),
  jobId: Type.Optional({ ...JobId, description: 'The job that it belongs to' }),
});
const PAGER = new Pager(['time', 'uuid'], ({ createdAt, fileId }: FileRow) => [
  createdAt.toISOString(),
  fileId,
]);
const UploadForm = Type.Unsafe<unknown>({
  type: 'object',
  properties: {
    ...Object.fromEntries(
      Object.entries(UploadQuery.properties).map(([name, schema]) => [name, { ...schema }]),
    ),
    file: {
      type: 'string',
      contentMediaType: 'application/octet-stream',
      description: 'Must come after the fields',
    },
  },
  title: 'FileForm',
  description: 'One file; the fields are those of the query, which takes precedence',
});
const tags = ['files'];

/** Routes for files: firmware from operators, diagnostics and logs from stations. */
export function fileRoutes(app: App, context: ApiContext): void {
  addUpload(app, context);
  addReading(app, context);
  addContents(app, context);
}

function addUpload(app: App, { files, keys }: ApiContext): void {
  void app.register(async (scope) => {
    const raw = scope.withTypeProvider<TypeBoxTypeProvider>();
    // The handler reads the body as a stream.
    raw.removeAllContentTypeParsers();
    raw.addContentTypeParser(['application/octet-stream', 'multipart/form-data'], (_request, _body, done) =>
      done(null),
    );
    raw.addContentTypeParser('*', ({ headers }, _body, done) => {
      const type = headers['content-type'];
      done(type === undefined ? null : notAFile(type));
    });
    // Invalid media types do not reach a parser.
    raw.setErrorHandler((error: FastifyError, request, reply) => {
      const isMediaTypeError = error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE';
      return answerProblem(
        isMediaTypeError ? notAFile(request.headers['content-type']) : error,
        request,
        reply,
      );
    });
    raw.post(
      '/files',
      {
        config: { role: 'operator', problems: [422] },
        schema: {
          operationId: 'addFile',
          summary: 'Upload firmware; the body is the file, or a form with one',
          tags,
          querystring: UploadQuery,
          body: {
            content: {
              'application/octet-stream': { schema: FileContents },
              'multipart/form-data': { schema: UploadForm },
            },
          },
          response: { 201: File },
        },
      },
      async (request, reply) => {
        requireBody(request);
        const uploadedBy = await keys.nameOf(request);
        const { maxFirmwareBytes: maxBytes } = files.options;
        const store = (
          { name, kind = 'firmware', sha256, ...rest }: Upload,
          source: AsyncIterable<Buffer>,
        ) => {
          if (name === undefined) throw new Problem(400, 'query: name is missing', { field: 'name' });
          const about = { ...rest, kind, name: fileNameOf(name, 'firmware'), uploadedBy };
          return files.store(about, { source, maxBytes, sha256 });
        };
        const file = await receive(request, files, () =>
          isMultipart(request.raw)
            ? fileOfForm(request, store)
            : store(request.query, incoming(request, { maxBytes }).source),
        );
        return reply.code(201).header('location', `/api/v1/files/${file.fileId}`).send(file);
      },
    );
  });
}

const TYPES = 'application/octet-stream, or as multipart/form-data with one file';

function notAFile(type = ''): Problem {
  const detail = `body: ${type.slice(0, 100)} is not accepted; send the bytes of the file as ${TYPES}`;
  return new Problem(415, detail, { headers: { connection: 'close' } });
}

function requireBody({ headers }: FastifyRequest): void {
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0) return;
  throw new Problem(400, `body: the file is missing; send its bytes as ${TYPES}`);
}

function addReading(app: App, { database }: ApiContext): void {
  app.get(
    '/files',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'listFiles',
        summary: 'Files, newest first',
        tags,
        querystring: Query,
        response: { 200: pageOf(File) },
      },
    },
    ({ query }) => PAGER.page(query, ({ after, rows }) => fileList.list(database, { ...query, after, rows })),
  );
  app.get(
    '/files/:fileId',
    {
      config: { role: 'viewer' },
      schema: {
        operationId: 'getFile',
        summary: 'A file',
        tags,
        params: FileParams,
        response: { 200: File },
      },
    },
    ({ params }) => findFile(database, params.fileId),
  );
}

function addContents(app: App, { database, files }: ApiContext): void {
  const send = async (
    request: FastifyRequest<{ Params: { fileId: string } }>,
    reply: FastifyReply,
  ): Promise<FastifyReply> =>
    sendFile(request, reply, { file: await findFile(database, request.params.fileId), files });
  const config: FastifyContextConfig = { role: 'viewer', problems: [416] };
  const schema = {
    operationId: 'getFileContents',
    summary: 'The contents of a file, or the part that a Range header names',
    tags,
    params: FileParams,
    response: FILE_RESPONSES,
  };
  app.get('/files/:fileId/content', { config, exposeHeadRoute: false, schema }, send);
  app.head('/files/:fileId/content', { config, schema: { params: FileParams, hide: true } }, send);
}
