import { Type } from '@fastify/type-provider-typebox';
import type { Db } from '../database/database.ts';
import { idOf, nullable, oneOf, Text, Time } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import * as fileList from './file-list.store.ts';
import type { FileRow } from './file-list.store.ts';
import { FILE_KINDS } from './files.store.ts';

/** A file as the API shows it. */
export const File = Type.Object(
  {
    fileId: Type.String(),
    kind: oneOf(FILE_KINDS, 'firmware: uploaded by operators. diagnostics, log: uploaded by stations'),
    name: Type.String(),
    sizeBytes: Type.Integer(),
    sha256: Type.String({ description: 'Of the contents, in hexadecimal' }),
    createdAt: Time,
    firmwareVersion: nullable(
      Type.String({ description: 'The firmware version that stations boot with afterwards' }),
    ),
    signature: nullable(Type.String({ description: 'For SignedUpdateFirmware: base64' })),
    signingCertificate: nullable(Type.String({ description: 'PEM' })),
    signatureIsValid: nullable(
      Type.Boolean({
        description: 'Whether the signature matches the contents and the certificate; null without one',
      }),
    ),
    note: Text,
    uploadedBy: nullable(Type.String({ description: 'Name of the API key' })),
    stationId: nullable(Type.String({ description: 'The station that uploaded it' })),
    commandId: nullable(Type.String({ description: 'The command that asked for it' })),
    jobId: nullable(Type.Integer({ description: 'The job that it belongs to' })),
  },
  { title: 'File', description: 'The file' },
);

/** The contents of a file, in requests and responses. */
export const FileContents = Type.Unsafe<unknown>({
  title: 'FileContents',
  description: 'The contents',
  examples: ['(bytes)'],
});
const content = { 'application/octet-stream': { schema: FileContents } };

/** Responses with the contents of a file. */
export const FILE_RESPONSES = {
  200: { description: 'The whole file', content },
  206: { description: 'The part that the Range header names', content },
};
export const FirmwareVersion = Type.String({
  minLength: 1,
  maxLength: 50,
  description: 'The firmware version that stations boot with afterwards',
});
export const FileName = Type.String({ minLength: 1, maxLength: 255, description: 'The name of the file' });
export const Note = Type.String({ maxLength: 1000, description: 'A note for the record' });
export const FileParams = Type.Object({ fileId: idOf('file') });

/** A file by its id. Throws Problem 404 if there is none. */
export async function findFile(db: Db, fileId: string): Promise<FileRow> {
  const file = await fileList.get(db, fileId);
  if (!file) throw unknownFile(fileId);
  return file;
}

/** The Problem for an unknown file. */
export function unknownFile(fileId: string): Problem {
  return new Problem(404, `file ${fileId} is not known; GET /api/v1/files lists those that are`);
}
