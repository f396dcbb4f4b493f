import { HIDDEN } from '@evander/process';
import type { JobRow } from '../jobs/job-list.store.ts';

/** What stations say when a file could not travel. */
const TRANSFER_FAILURES = ['UploadFailed', 'UploadFailure', 'DownloadFailed', 'NotSupportedOperation'];
const OUR_HTTP_LINK = new RegExp(`^https?://.*/(?:files|uploads)/${HIDDEN.replaceAll('*', '\\*')}`);

/** What an operator can do about a job that brought no file; null when there is nothing to say. */
export function hintFor(job: JobRow, { ftpUrl }: { ftpUrl?: string | undefined }): string | null {
  const { outcome, reason, location, hasToldProtocols } = job;
  if (outcome === 'reportedUploaded')
    return 'the station said Uploaded, but no file has come by its link; one that comes later counts';
  const isTransfer = outcome === 'failed' && TRANSFER_FAILURES.includes(reason ?? '');
  if (!isTransfer || hasToldProtocols || !OUR_HTTP_LINK.test(location)) return null;
  const first = ftpUrl === undefined ? 'set EVANDER_FTP_URL, then ' : '';
  return `the station may have no HTTP, but FTP: ${first}order it again with "transport": "ftp"`;
}
