import type { Requests } from '@evander/ocpp';
import { deliver } from './deliver.ts';
import type { Station } from './station.ts';

/** Everything that TriggerMessage and ExtendedTriggerMessage can ask for. */
export type TriggeredMessage =
  Requests['TriggerMessage']['requestedMessage'] | Requests['ExtendedTriggerMessage']['requestedMessage'];

/** Sends a message because the manager asked for it; no connectorId means all of them. */
export async function sendTriggered(
  station: Station,
  message: TriggeredMessage,
  options: { connectorId: number | undefined; isExtended: boolean },
): Promise<unknown> {
  const { connectorId, isExtended } = options;
  const connectors = connectorId === undefined ? station.connectors : [station.connector(connectorId)];
  switch (message) {
    case 'BootNotification':
      return void (await station.registration.boot());
    case 'Heartbeat':
      return void (await station.call('Heartbeat', {}));
    case 'StatusNotification':
      return void (await Promise.all(connectors.map((connector) => connector.report())));
    case 'MeterValues':
      return void (await Promise.all(connectors.map((connector) => connector.sampleOnTrigger())));
    case 'SignChargePointCertificate':
      return station.certificates.request();
    default:
      return sendJobStatus(station, message, isExtended);
  }
}

/** How far the job is; Idle when there is none. */
async function sendJobStatus(
  station: Station,
  message: 'DiagnosticsStatusNotification' | 'FirmwareStatusNotification' | 'LogStatusNotification',
  isExtended: boolean,
): Promise<unknown> {
  const { jobs } = station;
  const status = 'Idle';
  switch (message) {
    case 'DiagnosticsStatusNotification':
      return jobs.running('diagnostics')?.repeat() ?? deliver(station, message, { status });
    case 'LogStatusNotification':
      return jobs.running('log')?.repeat() ?? deliver(station, message, { status });
    case 'FirmwareStatusNotification': {
      const action = isExtended ? 'SignedFirmwareStatusNotification' : message;
      return jobs.running('firmware')?.repeat() ?? deliver(station, action, { status });
    }
  }
}
