import { EstClient } from '@evander/pki';
import { NotYetSigned } from './signer.ts';
import type { Signer } from './signer.ts';

const DEFAULT_RETRY_SECONDS = 60;

/** An outside authority that speaks EST (RFC 7030): simple enrollment, and its chain after the leaf. */
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
