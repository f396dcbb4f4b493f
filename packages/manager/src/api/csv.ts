import { stringify } from 'csv-stringify';
import type { FastifyReply } from 'fastify';
import { once } from 'node:events';
import { pipeline } from 'node:stream';
import type { Readable } from 'node:stream';
import { Problem } from './problem.ts';

/** A reader that takes nothing for so long is gone. */
const STALLED_MS = 60_000;
const NUMBER = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;

/** The answer of a table as CSV, for its description. */
export const CsvAnswer = {
  description:
    'CSV (RFC 4180) in UTF-8, with a line of names; as it is read, so that it may be of any length',
  content: {
    'text/csv': {
      schema: { type: 'string', title: 'Csv', examples: ['transactionId,stationId\r\n1042,CP1\r\n'] },
    },
  },
} as const;

type Cell = string | number | Date | string[] | null | undefined;
/** How each column is had from a row. */
export type Cells<Row> = Record<string, (row: Row) => Cell>;

/**
 * Answers rows as CSV while they are read, in constant memory. Throws Problem when too many exports are under way, and what the first
 * rows could not be read for; later faults end the connection, so that half a table cannot be taken for a whole one.
 */
export async function sendCsv<Row>(
  reply: FastifyReply,
  rows: Readable | undefined,
  { fileName, cells }: { fileName: string; cells: Cells<Row> },
): Promise<FastifyReply> {
  if (!rows)
    throw new Problem(429, 'as many exports as may be are under way; try again when one has ended', {
      headers: { 'retry-after': '30' },
    });
  await Promise.race([once(rows, 'readable'), once(rows, 'end')]);
  const table = stringify({ record_delimiter: '\r\n' });
  table.write(Object.keys(cells));
  const makers = Object.values(cells);
  const records = async function* (source: AsyncIterable<Row>): AsyncGenerator<string[]> {
    for await (const row of source) yield makers.map((make) => cellOf(make(row)));
  };
  // What goes wrong destroys all of it, the answer too.
  pipeline(rows, records, table, () => undefined);
  reply.raw.setTimeout(STALLED_MS, () => reply.raw.destroy());
  return reply
    .type('text/csv; charset=utf-8; header=present')
    .header('content-disposition', `attachment; filename="${fileName}"`)
    .header('cache-control', 'no-store')
    .send(table);
}

// What a spreadsheet would take for a formula gets an apostrophe in front: stations and drivers choose what stands there.
function cellOf(value: Cell): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return value.toISOString();
  const text = Array.isArray(value) ? value.join(' ') : String(value);
  return /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) && !NUMBER.test(text) ? `'${text}` : text;
}
