import type { FastifyRequest } from 'fastify';
import { Problem } from '../http/problem.ts';
import { refuseUnstorable } from '../http/request-values.ts';
import type { FileRow } from './file-list.store.ts';
import { NotMultipart, readForm } from './multipart.ts';
import type { Form } from './multipart.ts';

/** Stores the file of a form. The form's fields apply where the query has none. Throws Problem unless there is exactly one file. */
export async function fileOfForm<Query extends object>(
  request: FastifyRequest<{ Querystring: Query }>,
  store: (about: Query, source: AsyncIterable<Buffer>) => Promise<FileRow>,
): Promise<FileRow> {
  const stored: FileRow[] = [];
  let files = 0;
  try {
    // Two, so that a second one is rejected and not ignored.
    await readForm(request.raw, 2, async (fileName, part, form) => {
      if (++files > 1) throw new NotMultipart('the form contains more than one file; send one at a time');
      const fields = Object.fromEntries(form.fields);
      const about = checked(request, { ...(fileName !== '' && { name: fileName }), ...fields });
      stored.push(await store(about, untilEnd(part, form, form.fields.size)));
    });
  } catch (error) {
    throw error instanceof NotMultipart ? new Problem(400, `body: ${error.message}`) : error;
  }
  const [file] = stored;
  if (!file)
    throw new Problem(400, 'body: the form contains no file; send one, as with curl -F file=@firmware.bin');
  return file;
}

/** Merges form fields and query, which takes precedence, and validates them with the query's schema. */
function checked<Query extends object>(
  request: FastifyRequest<{ Querystring: Query }>,
  fields: object,
): Query {
  const about: object = { ...fields, ...(request.query as object) };
  refuseUnstorable(about, '', 0);
  const validate = request.getValidationFunction('querystring');
  if (!validate?.(about))
    throw Object.assign(new Error('the form is not valid'), {
      validation: validate?.errors,
      validationContext: 'form',
    });
  return about as Query;
}

/** Ends only when the form has ended, so that nothing is stored of an incomplete form or of one with fields after its file. */
async function* untilEnd(
  part: AsyncIterable<Buffer>,
  { fields, ended }: Form,
  fieldsBefore: number,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of part) {
    bytes += chunk.length;
    yield chunk;
  }
  if (bytes === 0) throw new NotMultipart('the file is empty');
  await ended;
  const late = [...fields.keys()].slice(fieldsBefore);
  if (late.length > 0) throw new NotMultipart(`send the field ${late.join(', ')} before the file`);
}
