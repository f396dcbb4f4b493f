import { HIDDEN } from '@evander/process';
import type { JobRow } from '../jobs/job-list.store.ts';

/** Statuses that stations report when a transfer failed. */
const TRANSFER_FAILURES = ['UploadFailed', 'UploadFailure', 'DownloadFailed', 'NotSupportedOperation'];
const OWN_HTTP_LINK = new RegExp(`^https?://.*/(?:files|uploads)/${HIDDEN.replaceAll('*', '\\*')}`);

/** What an operator can do about a job without a file; null for nothing. */
export function hintFor(job: JobRow, { ftpUrl }: { ftpUrl?: string | undefined }): string | null {
  const { outcome, reason, location, hasReportedProtocols } = job;
  if (outcome === 'reportedUploaded')
    return 'the station reported Uploaded, but no file has arrived by its link; a later upload still counts';
  const isTransfer = outcome === 'failed' && TRANSFER_FAILURES.includes(reason ?? '');
  if (!isTransfer || hasReportedProtocols || !OWN_HTTP_LINK.test(location)) return null;
  const first = ftpUrl === undefined ? 'set EVANDER_FTP_URL, then ' : '';
  return `the station may support FTP but not HTTP: ${first}repeat the request with "transport": "ftp"`;
}
