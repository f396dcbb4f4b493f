import { EstClient } from '@evander/pki';
import { NotYetSigned } from './signer.ts';
import type { Signer } from './signer.ts';

const DEFAULT_RETRY_SECONDS = 60;

/** Signs with an external authority over EST (RFC 7030, simple enrollment); returns the leaf followed by its chain. */
export function estSigner(client: EstClient): Signer {
  return {
    async sign(_stationId, csr) {
      const outcome = await client.simpleEnroll(csr);
      if ('retryAfterSeconds' in outcome)
        throw new NotYetSigned(outcome.retryAfterSeconds || DEFAULT_RETRY_SECONDS);
      return outcome.chainPem;
    },
  };
}
