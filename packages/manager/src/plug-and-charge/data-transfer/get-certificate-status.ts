import type { PncMessage } from './tunnel.ts';

/** Maximum length in the response. */
const MAX_RESULT_LENGTH = 5500;

/** The station passes the OCSP response on to EVs, which verify it themselves (PnC.13). */
export const getCertificateStatus: PncMessage<'GetCertificateStatus'> = {
  async handle({ ocspRequestData }, { pnc, log }) {
    try {
      const ocspResult = (await pnc.ocspResponse(ocspRequestData)).toString('base64');
      if (ocspResult.length > MAX_RESULT_LENGTH)
        throw new Error(
          `the response of the responder has ${ocspResult.length} characters in base64; stations accept ${MAX_RESULT_LENGTH}`,
        );
      return { status: 'Accepted', ocspResult };
    } catch (error) {
      const { responderURL, serialNumber } = ocspRequestData;
      log.warn({ responderURL, serialNumber, err: error }, 'no OCSP status for a certificate');
      return { status: 'Failed' };
    }
  },
};
