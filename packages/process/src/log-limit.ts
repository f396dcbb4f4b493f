import type { Logger, LoggerOptions } from 'pino';
import { NewestMap } from './newest-map.ts';
import { TokenBucket } from './token-bucket.ts';

/** Log lines about one station at level info and above. */
const LINES = { burst: 100, perSecond: 1 } as const;
const STATIONS = 10_000;
const REPORT_MS = 10_000;
const INFO = 30;

interface StationLines {
  budget: TokenBucket;
  leftOut: number;
}

/**
 * Limits the log lines of each station, identified by their stationId. Excess lines are left out, and a line reports their number. Debug
 * and trace lines are not limited.
 */
export function limitPerStation(
  reportMs = REPORT_MS,
  nowMs?: () => number,
): NonNullable<NonNullable<LoggerOptions['hooks']>['logMethod']> {
  const stations = new NewestMap<string, StationLines>(STATIONS);
  return function limited(args, method, level) {
    const stationId = level < INFO ? undefined : stationIdOf(this, args[0]);
    if (stationId === undefined) {
      method.apply(this, args);
      return;
    }
    let lines = stations.get(stationId);
    if (!lines) {
      lines = { budget: new TokenBucket(LINES, nowMs), leftOut: 0 };
      stations.set(stationId, lines);
    }
    if (lines.budget.take()) method.apply(this, args);
    else if (lines.leftOut++ === 0) setTimeout(report, reportMs, method, this, stationId, lines).unref();
  };
}

function report(method: Logger['warn'], log: Logger, stationId: string, lines: StationLines): void {
  const { leftOut } = lines;
  lines.leftOut = 0;
  const isBound = 'stationId' in log.bindings();
  method.call(log, { ...(!isBound && { stationId }), leftOut }, 'lines about this station were left out');
}

function stationIdOf(log: Logger, about: unknown): string | undefined {
  const own = about as { stationId?: unknown } | string | null | undefined;
  const bound = log.bindings() as { stationId?: unknown };
  const stationId = (typeof own === 'object' ? own?.stationId : undefined) ?? bound.stationId;
  return typeof stationId === 'string' && stationId !== '' ? stationId : undefined;
}
