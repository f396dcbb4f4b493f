import type { TSchema } from '@fastify/type-provider-typebox';
import { CertificateRequest } from '../certificates/certificates.schemas.ts';
import { Command } from '../commands/commands.schemas.ts';
import type { EventKind } from '../events/events.store.ts';
import { StatusNotification } from '../jobs/jobs.schemas.ts';
import { PncCertificateRequest } from '../plug-and-charge/certificates.schemas.ts';
import { ConnectorStatus } from '../stations/connectors.schemas.ts';
import { SecurityEvent } from '../stations/security-events.schemas.ts';
import { Station } from '../stations/stations.schemas.ts';
import { Transaction } from '../transactions/transactions.schemas.ts';
import { UnmatchedStop } from '../transactions/unmatched-stops.schemas.ts';

const CERTIFICATE = [CertificateRequest, PncCertificateRequest];

/** The data of an event: the resource as its route shows it at that moment. migrations/0020-events.sql writes it. */
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
  'command.completed': [Command],
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
