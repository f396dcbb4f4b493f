import { RuleViolation } from '../commands/command.ts';
import type { CheckContext } from '../commands/command.ts';
import * as configuration from '../configuration/configuration.store.ts';
import * as jobs from './jobs.store.ts';

/** Checks the rules for all file transfers of stations (GetDiagnostics.1, GetDiagnostics.3). Throws RuleViolation. */
export async function checkTransfer(
  {
    location,
    retries = 0,
    retryInterval = 0,
  }: { location: string; retries?: number; retryInterval?: number },
  { db, stationId }: CheckContext,
): Promise<void> {
  if (retries < 0 || retryInterval < 0)
    throw new RuleViolation('GetDiagnostics.3', 'retries and retryInterval must not be negative');
  const [, scheme] = /^([a-z][a-z\d+.-]*):\/\/[^/]/i.exec(location) ?? [];
  if (scheme === undefined)
    throw new RuleViolation(
      'GetDiagnostics.1',
      'the location must be a URL, such as https://files.example/new',
    );
  const protocols = (await configuration.list(db, stationId, 'SupportedFileTransferProtocols')) ?? [];
  if (protocols.length === 0 || protocols.some((name) => name.toLowerCase() === scheme.toLowerCase())) return;
  throw new RuleViolation(
    'GetDiagnostics.1',
    `station ${stationId} does not support ${scheme}; its SupportedFileTransferProtocols are ${protocols.join(', ')}`,
  );
}

/** Requires an unused requestId: statuses are matched to jobs by it, so a repeated one would mix two jobs. Throws RuleViolation. */
export async function requireNewRequestId(
  rule: string,
  requestId: number,
  { db, stationId }: CheckContext,
): Promise<void> {
  if (requestId < 1) throw new RuleViolation(rule, 'requestId must be 1 or higher, or omitted');
  if (await jobs.hasRequest(db, stationId, requestId))
    throw new RuleViolation(
      rule,
      `requestId ${requestId} has been used for station ${stationId}; omit it for a new one`,
    );
}
