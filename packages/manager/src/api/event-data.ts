import type { TSchema } from '@fastify/type-provider-typebox';
import type { EventKind } from '../store/events.ts';
import { CertificateRequest } from './certificates.ts';
import { Command } from './commands.ts';
import { ConnectorStatus } from './connectors.ts';
import { StatusNotification } from './jobs.ts';
import { PncCertificateRequest } from './pnc-certificates.ts';
import { SecurityEvent } from './security-events.ts';
import { Station } from './stations.ts';
import { Transaction } from './transactions.ts';
import { UnmatchedStop } from './unmatched-stops.ts';

const CERTIFICATE = [CertificateRequest, PncCertificateRequest];

/** What the data of an event is: the resource as its route shows it at that moment. The database writes it: migration 0084. */
export const EVENT_DATA: Record<EventKind, TSchema[]> = {
  'station.connected': [Station],
  'station.disconnected': [Station],
  'station.booted': [Station],
  'connector.status': [ConnectorStatus],
  'transaction.started': [Transaction],
  'transaction.stopped': [Transaction],
  'transaction.superseded': [Transaction],
  'transaction.closed': [Transaction],
  'transaction.unmatchedStop': [UnmatchedStop],
  'transaction.stopAssigned': [UnmatchedStop],
  'transaction.stopDismissed': [UnmatchedStop],
  'command.settled': [Command],
  'security.event': [SecurityEvent],
  'firmware.status': [StatusNotification],
  'log.status': [StatusNotification],
  'diagnostics.status': [StatusNotification],
  'certificate.requested': CERTIFICATE,
  'certificate.rejected': CERTIFICATE,
  'certificate.signed': CERTIFICATE,
  'certificate.installed': CERTIFICATE,
  'certificate.refused': CERTIFICATE,
  'certificate.superseded': CERTIFICATE,
};
