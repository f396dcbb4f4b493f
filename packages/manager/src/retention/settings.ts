import { setting } from '@evander/process';
import type { Setting, Settings } from '@evander/process';
import type { RetainedData } from './retention.store.ts';

/** The variables that tell for how long data is kept. */
export const RETENTION_SETTINGS = {
  retentionFrames: retention('FRAMES', 30, 'recorded frames'),
  retentionStatuses: retention('STATUSES', 365, 'connector status history'),
  retentionMeterValues: retention('METER_VALUES', 730, 'meter values, except those of open transactions'),
  retentionAuthorizations: retention('AUTHORIZATIONS', 365, 'answers to Authorize'),
  retentionEvents: retention('EVENTS', 30, 'events, except those that a webhook has not received'),
  retentionSecurityEvents: retention('SECURITY_EVENTS', 730, 'security events'),
  retentionCommands: retention('COMMANDS', 365, 'commands that have their outcome'),
  retentionJobs: retention('JOBS', 365, 'finished firmware, diagnostics and log jobs, with their statuses'),
  retentionReservations: retention('RESERVATIONS', 365, 'reservations that have ended'),
  retentionCertificateRequests: retention('CERTIFICATE_REQUESTS', 730, 'completed certificate requests'),
  retentionIssuedCertificates: retention(
    'ISSUED_CERTIFICATES',
    365,
    'expired certificates of the built-in authority, except those with a compromised key',
  ),
  retentionFirmwareCampaigns: retention(
    'FIRMWARE_CAMPAIGNS',
    730,
    'firmware campaigns that have ended, with their stations',
  ),
  retentionUnmatchedStops: retention('UNMATCHED_STOPS', 0, 'unmatched stops'),
  retentionTransactions: retention('TRANSACTIONS', 0, 'transactions that have ended'),
};

/** For how many days each kind of data is kept; 0 forever. */
export function retentionDays(settings: Settings<typeof RETENTION_SETTINGS>): Record<RetainedData, number> {
  return {
    frames: settings.retentionFrames,
    statuses: settings.retentionStatuses,
    meterValues: settings.retentionMeterValues,
    authorizations: settings.retentionAuthorizations,
    events: settings.retentionEvents,
    securityEvents: settings.retentionSecurityEvents,
    commands: settings.retentionCommands,
    jobs: settings.retentionJobs,
    reservations: settings.retentionReservations,
    certificateRequests: settings.retentionCertificateRequests,
    issuedCertificates: settings.retentionIssuedCertificates,
    firmwareCampaigns: settings.retentionFirmwareCampaigns,
    unmatchedStops: settings.retentionUnmatchedStops,
    transactions: settings.retentionTransactions,
  };
}

function retention(data: string, days: number, what: string): Setting<'days', number> {
  return setting(`EVANDER_RETENTION_DAYS_${data}`, 'days', days, `Days to keep ${what} (0 = forever)`);
}
