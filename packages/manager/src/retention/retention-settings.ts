import type { SettingName, Settings } from '@evander/process';
import type { RetainedData } from './retention.store.ts';

/** The retention settings. */
export const RETENTION_SETTINGS = [
  'retentionFrames',
  'retentionStatuses',
  'retentionMeterValues',
  'retentionAuthorizations',
  'retentionEvents',
  'retentionSecurityEvents',
  'retentionCommands',
  'retentionJobs',
  'retentionReservations',
  'retentionCertificateRequests',
  'retentionIssuedCertificates',
  'retentionFirmwareCampaigns',
  'retentionUnmatchedStops',
  'retentionTransactions',
] as const satisfies readonly SettingName[];

/** Days to keep each kind of data; 0 = forever. */
export function retentionDays(
  settings: Settings<(typeof RETENTION_SETTINGS)[number]>,
): Record<RetainedData, number> {
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
