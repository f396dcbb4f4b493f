import { Type } from '@fastify/type-provider-typebox';
import type { ApiContext } from '../api-context.ts';
import * as firmwareCampaigns from '../campaigns/firmware-campaigns.store.ts';
import { readCertificates } from '../certificates/pem.ts';
import { nullable } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import type { App } from '../http/route.ts';
import type { ByteRange } from './contents.ts';
import type { FileRow } from './file-list.store.ts';
import { fileNameOf } from './file-name.ts';
import { File, FileName, FileParams, findFile, FirmwareVersion, Note, unknownFile } from './files.schemas.ts';
import * as files from './files.store.ts';
import type { FileChange } from './files.store.ts';
import { isBase64, isSignatureOf } from './signature.ts';

const Change = Type.Object(
  {
    name: Type.Optional(FileName),
    firmwareVersion: Type.Optional(nullable(FirmwareVersion)),
    note: Type.Optional(nullable(Note)),
    signature: Type.Optional(
      nullable(
        Type.String({ minLength: 1, maxLength: 800, description: 'Base64, of the SHA-256 of the contents' }),
      ),
    ),
    signingCertificate: Type.Optional(
      nullable(Type.String({ minLength: 1, maxLength: 5500, description: 'PEM' })),
    ),
  },
  { additionalProperties: false },
);
const RemoveQuery = Type.Object(
  {
    force: Type.Optional(
      Type.Boolean({ default: false, description: 'Remove it even if campaigns use it; they stop then' }),
    ),
  },
  { additionalProperties: false },
);
const tags = ['files'];

/** Routes that change firmware details and remove files. */
export function fileChangeRoutes(app: App, { database, files: { contents } }: ApiContext): void {
  app.put(
    '/files/:fileId',
    {
      config: { role: 'operator', problems: [422] },
      schema: {
        operationId: 'changeFile',
        summary: 'Change the details of firmware, or add its signature and signing certificate',
        tags,
        params: FileParams,
        body: Change,
        response: { 200: File },
      },
    },
    async ({ params: { fileId }, body }) => {
      const file = await findFile(database, fileId);
      if (file.kind !== 'firmware')
        throw new Problem(422, `file ${fileId} was uploaded by a station; only firmware can be changed`);
      const { signature, signingCertificate, name, ...rest } = body;
      const signing = await signingOf(file, { signature, signingCertificate }, (range) =>
        contents.read(fileId, range),
      );
      const change = { ...rest, ...(name !== undefined && { name: fileNameOf(name, file.name) }) };
      await files.change(database, fileId, { ...change, ...(signing && { signing }) });
      return findFile(database, fileId);
    },
  );
  app.delete(
    '/files/:fileId',
    {
      config: { role: 'operator', problems: [409] },
      schema: {
        operationId: 'removeFile',
        summary: 'Remove a file and all links to it',
        tags,
        params: FileParams,
        querystring: RemoveQuery,
        response: { 204: Type.Null({ description: 'Removed' }) },
      },
    },
    async ({ params: { fileId }, query: { force = false } }, reply) => {
      const campaignId = force ? undefined : await firmwareCampaigns.using(database, fileId);
      if (campaignId !== undefined)
        throw new Problem(
          409,
          `file ${fileId} is used by campaign ${campaignId}; cancel that first, or send force=true to stop it`,
        );
      if (!(await contents.remove(fileId))) throw unknownFile(fileId);
      return reply.code(204).send(null);
    },
  );
}

interface Signing {
  signature?: string | null | undefined;
  signingCertificate?: string | null | undefined;
}

/** The signing data to store; undefined for no change. An invalid signature is stored too (TC_081). */
async function signingOf(
  file: FileRow,
  changes: Signing,
  read: (range: ByteRange) => AsyncIterable<Buffer>,
): Promise<FileChange['signing']> {
  if (changes.signature === undefined && changes.signingCertificate === undefined) return undefined;
  const { signature = file.signature, signingCertificate = file.signingCertificate } = changes;
  if (signature !== null && !isBase64(signature)) throw invalid('signature', 'base64');
  if (signingCertificate !== null && !readCertificates(signingCertificate))
    throw invalid('signingCertificate', 'a certificate in PEM');
  if (signature === null || signingCertificate === null)
    return { signature, signingCertificate, isValid: null };
  const bytes = read({ start: 0, end: file.sizeBytes - 1 });
  const isValid = await isSignatureOf(bytes, { signature, signingCertificate });
  return { signature, signingCertificate, isValid };
}

function invalid(field: string, form: string): Problem {
  return new Problem(422, `${field} must be ${form}`, { field });
}
