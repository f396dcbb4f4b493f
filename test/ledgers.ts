import type { LedgerSample, LedgerSession, Station } from '@evander/station';

/** Runs database queries. */
interface Rows {
  rows(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
}

/** The transactionId in messages of a session that never learnt its own. */
const NO_ID = -1;

/** Differences between the ledgers and the database, one per line; empty if every value is stored exactly once and nothing else. */
export async function differences(stations: readonly Station[], services: Rows): Promise<string[]> {
  const found: string[] = [];
  for (const station of stations) {
    const { stationId, ledger, violations } = station;
    for (const { fault } of violations) found.push(`${stationId} received an invalid message: ${fault}`);
    const rows = await services.rows(
      `SELECT transaction_id, connector_id, meter_start_wh, started_at, meter_stop_wh, stopped_at, energy_wh
       FROM transactions WHERE station_id = $1`,
      [stationId],
    );
    const ownIds = new Map(ledger.sessions.map((session) => [session, idOf(session, rows)]));
    for (const session of ledger.sessions) {
      const ids = new Set(session.transactionIds);
      if (ids.size !== 1 && !hasNoId(session))
        found.push(`${stationId} received ${ids.size} ids for one start: ${[...ids].join(', ')}`);
    }
    // For sessions without an id, the start may be missing, and the stop may be assigned to another session without an id at the same
    // station.
    const withoutId = ledger.sessions.filter(hasNoId);
    const isDoubtful = (row: Record<string, unknown>): boolean =>
      withoutId.some(
        (session) => isOf(session, row) && plain(row.stopped_at) !== time(session.stop?.timestamp),
      );
    const isStored = (session: LedgerSession): boolean =>
      !hasNoId(session) || rows.some((row) => isOf(session, row) && !isDoubtful(row));
    compare(
      `${stationId} transaction`,
      ledger.sessions.filter(isStored).map((session) => transactionLine(session, ownIds.get(session))),
      rows.filter((row) => !isDoubtful(row)).map(lineOf),
      found,
    );

    const unmatched = await services.rows(
      `SELECT meter_stop_wh, stopped_at FROM unmatched_stops WHERE station_id = $1`,
      [stationId],
    );
    const bound = rows
      .filter((row) => withoutId.some((session) => isOf(session, row)) && row.stopped_at !== null)
      .map(({ meter_stop_wh, stopped_at }) => ({ meter_stop_wh, stopped_at }));
    compare(
      `${stationId} stop without id`,
      withoutId.flatMap(({ stop }) => (stop ? [`${stop.meterStop} ${time(stop.timestamp)}`] : [])),
      [...unmatched, ...bound].map(lineOf),
      found,
    );

    const values = await services.rows(
      `SELECT transaction_id, connector_id, measured_at, measurand, phase, context, unit, location, value
       FROM meter_values WHERE station_id = $1`,
      [stationId],
    );
    const stored = values.map(lineOf);
    const all = new Set(stored);
    const samples = ledger.sessions.flatMap((session) =>
      session.samples.map((sample) => {
        const own = `${String(ownIds.get(session))} ${sampleLine(sample)}`;
        if (!hasNoId(session)) return own;
        // It may be unassigned, or assigned to another session on its connector that did not learn its id.
        const alike = ledger.sessions.filter(
          (other) => hasNoId(other) && other.connectorId === session.connectorId,
        );
        const lines = ['', NO_ID, ...alike.map((other) => String(ownIds.get(other)))].map(
          (id) => `${id} ${sampleLine(sample)}`,
        );
        return lines.find((line) => all.has(line)) ?? own;
      }),
    );
    compare(`${stationId} value`, samples, stored, found);
  }
  return found;
}

/** Whether the StartTransaction was given up before the station learnt the id. */
function hasNoId({ transactionIds, discarded }: LedgerSession): boolean {
  return transactionIds.length === 0 && discarded.includes('StartTransaction');
}

/** The id that the session received, or under which its start is stored. */
function idOf(session: LedgerSession, rows: readonly Record<string, unknown>[]): unknown {
  return session.transactionIds[0] ?? rows.find((row) => isOf(session, row))?.transaction_id;
}

function isOf(session: LedgerSession, row: Record<string, unknown>): boolean {
  return (
    Number(row.connector_id) === session.connectorId &&
    Number(row.meter_start_wh) === session.meterStart &&
    plain(row.started_at) === time(session.startedAt)
  );
}

function transactionLine(session: LedgerSession, id: unknown): string {
  const { stop } = session;
  return [
    id,
    session.connectorId,
    session.meterStart,
    time(session.startedAt),
    stop?.meterStop,
    time(stop?.timestamp),
    stop && stop.meterStop - session.meterStart,
  ].join(' ');
}

function sampleLine(sample: LedgerSample): string {
  const { connectorId, timestamp, measurand, phase, context, unit, location, value } = sample;
  return [connectorId, time(timestamp), measurand, phase, context, unit, location, value].join(' ');
}

function lineOf(row: Record<string, unknown>): string {
  return Object.values(row).map(plain).join(' ');
}

function compare(what: string, expected: string[], stored: string[], found: string[]): void {
  const counts = new Map<string, number>();
  for (const line of stored) counts.set(line, (counts.get(line) ?? 0) + 1);
  for (const line of new Set(expected)) {
    const count = counts.get(line) ?? 0;
    if (count !== 1) found.push(`${what} is stored ${count} times: ${line}`);
    counts.delete(line);
  }
  for (const line of counts.keys()) found.push(`${what} was never sent: ${line}`);
}

function plain(value: unknown): unknown {
  if (value instanceof Date) return value.getTime();
  return value ?? '';
}

function time(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}
