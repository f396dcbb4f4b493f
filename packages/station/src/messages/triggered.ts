import type { Requests } from '@evander/ocpp';
import type { Connector } from '../charging/connector.ts';
import { deliver } from '../connection/deliver.ts';
import type { Caller, Connectors, StationContext } from '../context/station-context.ts';
import type { FileJobs } from '../files/file-jobs.ts';
import type { Registration } from '../lifecycle/registration.ts';
import type { Certificates } from '../security/certificates.ts';

/** Parts of the station that triggered messages use. */
export type TriggerContext = StationContext &
  Caller &
  Connectors<Pick<Connector, 'report' | 'sampleOnTrigger'>> & {
    readonly registration: Pick<Registration, 'boot'>;
    readonly certificates: Pick<Certificates, 'request'>;
    readonly jobs: Pick<FileJobs, 'running'>;
  };

/** All messages that TriggerMessage and ExtendedTriggerMessage can request. */
export type TriggeredMessage =
  Requests['TriggerMessage']['requestedMessage'] | Requests['ExtendedTriggerMessage']['requestedMessage'];

/** Sends a message that the manager requested; without a connectorId, for all connectors. */
export async function sendTriggered(
  station: TriggerContext,
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

/** The job's status; Idle if there is none. */
async function sendJobStatus(
  station: TriggerContext,
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
