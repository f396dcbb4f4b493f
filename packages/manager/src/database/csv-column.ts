/** The SQL expression that writes a column to CSV. */
export type CsvColumn = (column: string) => string;

// Texts that spreadsheets interpret as formulas; numbers are harmless.
const FORMULA = String.raw`'^[=+@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20-]'`;
const NUMBER = String.raw`'^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$'`;

/** Unchanged: for numbers and Evander's own values. */
export const plain: CsvColumn = (column) => column;

/** In UTC, in the format of RFC 3339. */
export const time: CsvColumn = (column) =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** For texts from stations or drivers: an apostrophe is put before what would be a formula. */
export const foreignText: CsvColumn = (column) =>
  `CASE WHEN ${column} ~ ${FORMULA} AND ${column} !~ ${NUMBER} THEN '''' || ${column} ELSE nullif(${column}, '') END`;

/** The SELECT list of a CSV, from a record of CSV name to [expression, database column]. */
export function csvColumns(columns: Record<string, [write: CsvColumn, column: string]>): string {
  return Object.entries(columns)
    .map(([name, [write, column]]) => `${write(column)} AS "${name}"`)
    .join(', ');
}
