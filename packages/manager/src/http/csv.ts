import type { FastifyReply } from 'fastify';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { Problem } from './problem.ts';

/** A client that takes no data for this long is disconnected. */
const STALLED_MS = 60_000;

/** The OpenAPI response of a CSV export. */
export const CsvAnswer = {
  description:
    'CSV (RFC 4180) in UTF-8 with a header line, streamed, of any length. An export that takes too long is cut off: its connection ends early',
  content: {
    'text/csv': {
      schema: { type: 'string', title: 'Csv', examples: ['transactionId,stationId\r\n1042,CP1\r\n'] },
    },
  },
} as const;

/**
 * Streams a table as CSV in constant memory. `table` is undefined if too many exports are in progress: throws Problem 429. Rejects if
 * the first rows cannot be read; later errors end the connection, so that the client cannot take a partial table for a complete one.
 */
export async function sendCsv(
  reply: FastifyReply,
  table: Readable | undefined,
  fileName: string,
): Promise<FastifyReply> {
  if (!table)
    throw new Problem(429, 'too many exports are in progress; try again when one has ended', {
      headers: { 'retry-after': '30' },
    });
  await once(table, 'readable');
  table.once('error', (error) => reply.log.warn({ err: error, fileName }, 'an export ended early'));
  reply.raw.setTimeout(STALLED_MS, () => reply.raw.destroy());
  return reply
    .type('text/csv; charset=utf-8; header=present')
    .header('content-disposition', `attachment; filename="${fileName}"`)
    .header('cache-control', 'no-store')
    .send(table);
}
