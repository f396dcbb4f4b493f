import type { Station } from '@evander/station';
/** What reads the database. */
interface Rows {
  rows(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
}

/** What a ledger and the database disagree on, a line each; none when every value is there once and nothing besides. */
export async function differences(stations: readonly Station[], services: Rows): Promise<string[]> {
  const found: string[] = [];
  for (const station of stations) {
    const { stationId, ledger, violations } = station;
    for (const { fault } of violations) found.push(`${stationId} was sent what it should not: ${fault}`);
    const expected = ledger.sessions.map((session) => {
      const ids = new Set(session.transactionIds);
      if (ids.size !== 1)
        found.push(`${stationId} was given ${ids.size} ids for one start: ${[...ids].join(', ')}`);
      return [
        [...ids][0],
        session.connectorId,
        session.meterStart,
        time(session.startedAt),
        session.stop?.meterStop,
        time(session.stop?.timestamp),
        session.stop && session.stop.meterStop - session.meterStart,
      ].join(' ');
    });
    const stored = await services.rows(
      `SELECT transaction_id, connector_id, meter_start_wh, started_at, meter_stop_wh, stopped_at, energy_wh
       FROM transactions WHERE station_id = $1`,
      [stationId],
    );
    compare(
      `${stationId} transaction`,
      expected,
      stored.map((row) => Object.values(row).map(plain).join(' ')),
      found,
    );

    const samples = ledger.sessions.flatMap((session) =>
      session.samples.map((sample) =>
        [
          session.transactionIds[0],
          sample.connectorId,
          time(sample.timestamp),
          sample.measurand,
          sample.phase,
          sample.context,
          sample.unit,
          sample.location,
          sample.value,
        ].join(' '),
      ),
    );
    const values = await services.rows(
      `SELECT transaction_id, connector_id, measured_at, measurand, phase, context, unit, location, value
       FROM meter_values WHERE station_id = $1`,
      [stationId],
    );
    compare(
      `${stationId} value`,
      samples,
      values.map((row) => Object.values(row).map(plain).join(' ')),
      found,
    );
  }
  return found;
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
