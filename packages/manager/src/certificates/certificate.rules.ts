import { RuleViolation } from '../commands/command.ts';
import type { CheckContext } from '../commands/command.ts';
import * as configuration from '../configuration/configuration.store.ts';

/** In characters. Even a PEM certificate with the smallest key and no names is longer. */
const MIN_CERTIFICATE_LENGTH = 300;

/**
 * Throws RuleViolation if a chain is longer than the station's CertificateSignedMaxChainSize, if known. Some stations count certificates
 * there instead of characters: a limit into which no certificate fits is ignored.
 */
export async function requireRoomForChain(
  rule: string,
  certificateChain: string,
  { db, stationId, log }: CheckContext,
): Promise<void> {
  const maxLength = await configuration.integer(db, stationId, 'CertificateSignedMaxChainSize');
  if (maxLength === undefined || certificateChain.length <= maxLength) return;
  if (maxLength < MIN_CERTIFICATE_LENGTH) {
    log.warn(
      { stationId, CertificateSignedMaxChainSize: maxLength },
      'CertificateSignedMaxChainSize is ignored: no certificate fits into this many characters',
    );
    return;
  }
  throw new RuleViolation(
    rule,
    `certificateChain has ${certificateChain.length} characters; station ${stationId} accepts ${maxLength} (CertificateSignedMaxChainSize)`,
  );
}
