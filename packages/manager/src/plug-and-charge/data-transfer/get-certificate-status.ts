import type { PncMessage } from './tunnel.ts';

/** As much as fits into the answer. */
const MAX_RESULT_LENGTH = 5500;

/** The station hands what a responder said on to EVs, which check it themselves (PnC.13). */
export const getCertificateStatus: PncMessage<'GetCertificateStatus'> = {
  async handle({ ocspRequestData }, { pnc, log }) {
    try {
      const ocspResult = (await pnc.ocspResponse(ocspRequestData)).toString('base64');
      if (ocspResult.length > MAX_RESULT_LENGTH)
        throw new Error(
          `the answer of the responder has ${ocspResult.length} characters in base64; stations take ${MAX_RESULT_LENGTH}`,
        );
      return { status: 'Accepted', ocspResult };
    } catch (error) {
      const { responderURL, serialNumber } = ocspRequestData;
      log.warn({ responderURL, serialNumber, err: error }, 'a certificate has no OCSP status');
      return { status: 'Failed' };
    }
  },
};
