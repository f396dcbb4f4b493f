import { RuleViolation } from '../commands/command.ts';
import type { CheckContext } from '../commands/command.ts';
import * as configuration from '../configuration/configuration.store.ts';
import * as jobs from './jobs.store.ts';

/** What holds for every file that a station fetches or brings (GetDiagnostics.1, GetDiagnostics.3): throws RuleViolation. */
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
    `station ${stationId} has no ${scheme}; its SupportedFileTransferProtocols are ${protocols.join(', ')}`,
  );
}

/** Statuses are told apart by their requestId: one that a station has had before would mix two jobs. Throws RuleViolation. */
export async function requireNewRequestId(
  rule: string,
  requestId: number,
  { db, stationId }: CheckContext,
): Promise<void> {
  if (requestId < 1) throw new RuleViolation(rule, 'requestId must be 1 or higher, or left out');
  if (await jobs.hasRequest(db, stationId, requestId))
    throw new RuleViolation(
      rule,
      `requestId ${requestId} has been used for ${stationId}; leave it out for a new one`,
    );
}
