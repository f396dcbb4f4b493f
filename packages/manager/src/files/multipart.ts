import { Busboy } from '@fastify/busboy';
import type { BusboyFileStream } from '@fastify/busboy';
import type { IncomingMessage } from 'node:http';

/** A body that is not the multipart/form-data of its Content-Type. */
export class NotMultipart extends Error {
  override name = 'NotMultipart';
}

export function isMultipart({ headers }: IncomingMessage): boolean {
  return /^multipart\/form-data\b/i.test(headers['content-type'] ?? '');
}

/** The received part of a form. */
export interface Form {
  fields: ReadonlyMap<string, string>;
  /** Resolves at the form's end; rejects if the form is invalid. */
  ended: Promise<void>;
}

type Take = (name: string, source: AsyncIterable<Buffer>, form: Form) => Promise<void>;

/**
 * Passes the files of a form to `take` one by one, as streams. Resolves with their number. Rejects with the error of `take` or with
 * NotMultipart; the rest of the body is then left unread.
 */
export async function readForm(request: IncomingMessage, maxFiles: number, take: Take): Promise<number> {
  const parts: BusboyFileStream[] = [];
  const taken: Promise<void>[] = [];
  const fields = new Map<string, string>();
  const parser = openParser(request, maxFiles);
  const end = new Deferred();
  parser.on('file', (_field, part: BusboyFileStream, name) => {
    parts.push(part);
    // A reader gets errors from the iterator; without this listener, errors before or after reading would end the process.
    part.on('error', () => {});
    const work = take(name ?? '', part, { fields, ended: end.promise });
    work.catch(end.reject);
    taken.push(work);
  });
  parser.on('field', (name, value) => void fields.set(name, value));
  parser.on('finish', end.resolve);
  parser.on('error', (error) => end.reject(new NotMultipart(`the form cannot be read: ${String(error)}`)));
  request.once('close', () => {
    if (!request.complete) end.reject(new Error('the connection was closed before the form was complete'));
  });
  try {
    request.pipe(parser);
    await end.promise;
    await Promise.all(taken);
    return taken.length;
  } catch (error) {
    request.unpipe(parser);
    for (const part of parts) part.destroy(error as Error);
    await Promise.allSettled(taken);
    throw error;
  }
}

class Deferred {
  resolve: () => void = () => {};
  reject: (error: unknown) => void = () => {};
  readonly promise = new Promise<void>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}

function openParser({ headers }: IncomingMessage, maxFiles: number): InstanceType<typeof Busboy> {
  try {
    const limits = { files: maxFiles, fields: 100, fieldSize: 65_536, parts: 200 };
    return new Busboy({ headers: { ...headers, 'content-type': headers['content-type'] ?? '' }, limits });
  } catch (error) {
    throw new NotMultipart(`the form cannot be read: ${(error as Error).message}`);
  }
}
