import { RuleViolation } from '../commands/command.ts';
import type { CheckContext } from '../commands/command.ts';
import * as configuration from '../configuration/configuration.store.ts';

/** No certificate in PEM is shorter than this, not even one with the smallest key and without names. */
const SHORTEST_CERTIFICATE = 300;

/**
 * A chain is not longer than the station takes, as far as it has said in CertificateSignedMaxChainSize. Some count certificates there
 * instead of characters: a limit into which no certificate fits is none.
 */
export async function requireRoomForChain(
  rule: string,
  certificateChain: string,
  { db, stationId, log }: CheckContext,
): Promise<void> {
  const longest = await configuration.integer(db, stationId, 'CertificateSignedMaxChainSize');
  if (longest === undefined || certificateChain.length <= longest) return;
  if (longest < SHORTEST_CERTIFICATE) {
    log.warn(
      { stationId, CertificateSignedMaxChainSize: longest },
      'CertificateSignedMaxChainSize is ignored: no certificate fits into so few characters',
    );
    return;
  }
  throw new RuleViolation(
    rule,
    `certificateChain has ${certificateChain.length} characters; station ${stationId} takes ${longest} (CertificateSignedMaxChainSize)`,
  );
}
