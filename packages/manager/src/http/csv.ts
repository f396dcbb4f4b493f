import type { FastifyReply } from 'fastify';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { Problem } from './problem.ts';

/** A reader that takes nothing for so long is gone. */
const STALLED_MS = 60_000;

/** The answer of a table as CSV, for its description. */
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
 * Answers a table as CSV while it is read, in constant memory. Throws Problem when too many exports are under way, and what the first
 * rows could not be read for; later faults end the connection, so that half a table cannot be taken for a whole one.
 */
export async function sendCsv(
  reply: FastifyReply,
  table: Readable | undefined,
  fileName: string,
): Promise<FastifyReply> {
  if (!table)
    throw new Problem(429, 'as many exports as may be are under way; try again when one has ended', {
      headers: { 'retry-after': '30' },
    });
  await once(table, 'readable');
  table.once('error', (error) => reply.log.warn({ err: error, fileName }, 'an export ended in the middle'));
  reply.raw.setTimeout(STALLED_MS, () => reply.raw.destroy());
  return reply
    .type('text/csv; charset=utf-8; header=present')
    .header('content-disposition', `attachment; filename="${fileName}"`)
    .header('cache-control', 'no-store')
    .send(table);
}
