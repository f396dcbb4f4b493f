import type { PncMessage } from './tunnel.ts';

/** An EV waits for about 5 s in all, and the way to it takes some of them (PnC.12). */
const TIMEOUT_MS = 3500;
/** As much as fits into the answer. */
const MAX_EXI_LENGTH = 5600;

export const get15118EVCertificate: PncMessage<'Get15118EVCertificate'> = {
  async handle({ exiRequest, iso15118SchemaVersion, action }, { pnc, log }) {
    try {
      if (!pnc.contractCertificates)
        throw new Error('no pool of contract certificates is configured; set EVANDER_CONTRACT_POOL_URL');
      const exiResponse = await pnc.contractCertificates.get15118EVCertificate({
        exiRequest,
        schemaVersion: iso15118SchemaVersion,
        action,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (exiResponse.length > MAX_EXI_LENGTH)
        throw new Error(
          `the answer of the pool has ${exiResponse.length} characters; stations take ${MAX_EXI_LENGTH}`,
        );
      return { status: 'Accepted', exiResponse };
    } catch (error) {
      log.warn({ err: error }, 'an EV gets no contract certificate');
      return { status: 'Failed', exiResponse: '' };
    }
  },
};
