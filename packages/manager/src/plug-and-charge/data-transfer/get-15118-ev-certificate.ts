import type { PncMessage } from './tunnel.ts';

/** An EV waits for about 5 s in total, including the transfer to it (PnC.12). */
const TIMEOUT_MS = 3500;
/** Maximum length in the response. */
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
          `the response of the pool has ${exiResponse.length} characters; stations accept ${MAX_EXI_LENGTH}`,
        );
      return { status: 'Accepted', exiResponse };
    } catch (error) {
      log.warn({ err: error }, 'no contract certificate for an EV');
      return { status: 'Failed', exiResponse: '' };
    }
  },
};
