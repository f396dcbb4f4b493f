import { Type } from '@fastify/type-provider-typebox';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyContextConfig, FastifyReply, FastifyRequest } from 'fastify';
import { fileNameOf } from '../files/file-name.ts';
import type { FileRow } from '../store/file-list.ts';
import * as fileList from '../store/file-list.ts';
import { FILE_KINDS } from '../store/files.ts';
import { oneOf } from './fields.ts';
import { File, FileName, FileParams, findFile, FirmwareVersion, Note } from './file-schemas.ts';
import { incoming, receive, sendFile } from './file-transfer.ts';
import { listQuery, pageOf, Pager } from './paging.ts';
import { Problem } from './problem.ts';
import type { ApiContext, App } from './route.ts';

const UploadQuery = Type.Object(
  {
    name: FileName,
    kind: Type.Optional(oneOf(['firmware'], 'The only kind that the API takes')),
    firmwareVersion: Type.Optional(FirmwareVersion),
    note: Type.Optional(Note),
    sha256: Type.Optional(
      Type.String({
        pattern: '^[\\da-fA-F]{64}$',
        description: '64 hexadecimal digits, which the contents must hash to',
      }),
    ),
  },
  { additionalProperties: false },
);
const Query = listQuery({
  kind: Type.Optional(oneOf(FILE_KINDS)),
  stationId: Type.Optional(Type.String({ description: 'The station that uploaded it' })),
  jobId: Type.Optional(Type.Integer({ description: 'The job that it belongs to' })),
});
const PAGER = new Pager(['time', 'uuid'], ({ createdAt, fileId }: FileRow) => [
  createdAt.toISOString(),
  fileId,
]);
const Contents = Type.Unsafe<unknown>({ description: 'The contents, as they are' });
const tags = ['files'];

/** Files: firmware that operators bring, diagnostics and logs that stations upload. */
export function fileRoutes(app: App, context: ApiContext): void {
  addUpload(app, context);
  addReading(app, context);
  addContents(app, context);
}

function addUpload(app: App, { files, keys }: ApiContext): void {
  void app.register(async (scope) => {
    const raw = scope.withTypeProvider<TypeBoxTypeProvider>();
    // The body is read by the handler, as it comes.
    raw.removeAllContentTypeParsers();
    raw.addContentTypeParser('application/octet-stream', (_request, _payload, done) => done(null));
    raw.post(
      '/files',
      {
        config: { role: 'operator', problems: [422] },
        schema: {
          operationId: 'addFile',
          summary: 'Bring firmware; the body is the file',
          tags,
          querystring: UploadQuery,
          body: { content: { 'application/octet-stream': { schema: Contents } } },
          response: { 201: File },
        },
      },
      async (request, reply) => {
        requireBody(request);
        const { name, kind = 'firmware', sha256, ...rest } = request.query;
        const uploadedBy = await keys.nameOf(request);
        const file = await receive(request, files, () =>
          files.keep(
            { ...rest, kind, name: fileNameOf(name, 'firmware'), uploadedBy },
            incoming(request, { maxBytes: files.options.maxFirmwareBytes, sha256 }),
          ),
        );
        return reply.code(201).header('location', `/api/v1/files/${file.fileId}`).send(file);
      },
    );
  });
}

function requireBody({ headers }: FastifyRequest): void {
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0) return;
  throw new Problem(400, 'body: the file is missing; send its bytes as application/octet-stream');
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
  };
  app.get('/files/:fileId/content', { config, exposeHeadRoute: false, schema }, send);
  app.head('/files/:fileId/content', { config, schema: { params: FileParams, hide: true } }, send);
}
