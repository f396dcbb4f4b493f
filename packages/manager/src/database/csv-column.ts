/** How a column of a table stands in its CSV. */
export type CsvColumn = (column: string) => string;

// What a spreadsheet would take for a formula; a number it takes for what it is.
const FORMULA = String.raw`'^[=+@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20-]'`;
const NUMBER = String.raw`'^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$'`;

/** As it is: numbers, and words of our own. */
export const plain: CsvColumn = (column) => column;

/** In UTC, as RFC 3339 has it. */
export const time: CsvColumn = (column) =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** A text that stations or drivers chose: an apostrophe stands in front of what would be a formula. */
export const foreignText: CsvColumn = (column) =>
  `CASE WHEN ${column} ~ ${FORMULA} AND ${column} !~ ${NUMBER} THEN '''' || ${column} ELSE nullif(${column}, '') END`;

/** The columns of a CSV: how each is written, by its name there, and what it is in the database. */
export function csvColumns(columns: Record<string, [write: CsvColumn, column: string]>): string {
  return Object.entries(columns)
    .map(([name, [write, column]]) => `${write(column)} AS "${name}"`)
    .join(', ');
}
