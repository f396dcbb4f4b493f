import type { Connector } from '../charging/connector.ts';
import type { Ledger } from '../charging/ledger.ts';
import type { Connectors, StationContext } from '../context/station-context.ts';

/** Parts of the station that the log file reports. */
export type LogFileContext = StationContext &
  Connectors<Pick<Connector, 'id' | 'status' | 'meterWh'>> & {
    readonly firmwareVersion: string;
    readonly ledger: Pick<Ledger, 'counters'>;
  };

/** A small log of the station's actions, with a name that is valid in any URL. */
export function logFile(
  station: LogFileContext,
  kind: 'diagnostics' | 'security',
): { name: string; text: string } {
  const { stationId, firmwareVersion, ledger, connectors } = station;
  const time = station.timestamp();
  const lines = [
    `${time} ${kind} log of ${stationId}, firmware ${firmwareVersion}`,
    ...connectors.map(({ id, status, meterWh }) => `${time} connector ${id} is ${status} at ${meterWh} Wh`),
    ...Object.entries(ledger.counters).map(([name, count]) => `${time} ${name} ${count}`),
  ];
  const plainId = stationId.replace(/[^\w-]/g, '_').slice(0, 100);
  return { name: `${plainId}-${kind}-${Date.parse(time)}.log`, text: `${lines.join('\n')}\n` };
}
