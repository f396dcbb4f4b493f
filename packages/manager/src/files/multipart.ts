import { Busboy } from '@fastify/busboy';
import type { BusboyFileStream } from '@fastify/busboy';
import type { IncomingMessage } from 'node:http';

/** A body that says to be multipart/form-data and is not. */
export class NotMultipart extends Error {
  override name = 'NotMultipart';
}

export function isMultipart({ headers }: IncomingMessage): boolean {
  return /^multipart\/form-data\b/i.test(headers['content-type'] ?? '');
}

/**
 * Hands over the files of a form one after the other, as they come; fields are passed over. Resolves with how many there were.
 * Rejects with what `take` rejects with, or NotMultipart; the rest of the body is then left unread.
 */
export async function readForm(
  request: IncomingMessage,
  maxFiles: number,
  take: (name: string, source: AsyncIterable<Buffer>) => Promise<void>,
): Promise<number> {
  const parts: BusboyFileStream[] = [];
  const taken: Promise<void>[] = [];
  const parser = openParser(request, maxFiles);
  try {
    await new Promise<void>((resolve, reject) => {
      parser.on('file', (_field, part: BusboyFileStream, name) => {
        parts.push(part);
        const work = take(name ?? '', part);
        work.catch(reject);
        taken.push(work);
      });
      parser.on('finish', resolve);
      parser.on('error', (error) => reject(new NotMultipart(`the form cannot be read: ${String(error)}`)));
      request.once('close', () => {
        if (!request.complete) reject(new Error('the connection was closed before the form had come'));
      });
      request.pipe(parser);
    });
    await Promise.all(taken);
    return taken.length;
  } catch (error) {
    request.unpipe(parser);
    for (const part of parts) part.destroy(error as Error);
    await Promise.allSettled(taken);
    throw error;
  }
}

function openParser({ headers }: IncomingMessage, maxFiles: number): InstanceType<typeof Busboy> {
  try {
    const limits = { files: maxFiles, fields: 100, fieldSize: 65_536, parts: 200 };
    return new Busboy({ headers: { ...headers, 'content-type': headers['content-type'] ?? '' }, limits });
  } catch (error) {
    throw new NotMultipart(`the form cannot be read: ${(error as Error).message}`);
  }
}
