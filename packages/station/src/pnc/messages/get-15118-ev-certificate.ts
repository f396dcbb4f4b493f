import { certificateChain } from '../fields.ts';
import type { PncMessage } from '../message.ts';
import { object, oneOf, text } from '../shape.ts';

export type EvCertificateRequest = {
  /** Not in Has2Be, where the EXI content contains it. */
  action: 'Install' | 'Update';
  /** Base64 */
  exiRequest: string;
  schemaVersion: string;
};
export type EvCertificateAnswer = { status: 'Accepted' | 'Failed'; exiResponse: string };

const status = oneOf('Accepted', 'Failed');

/** PNC §3.2: a car requests its contract's certificate. */
export const get15118EVCertificate: PncMessage<EvCertificateRequest, EvCertificateAnswer> = {
  messageId: 'Get15118EVCertificate',
  oca: {
    write: ({ schemaVersion, ...rest }) => ({ iso15118SchemaVersion: schemaVersion, ...rest }),
    answer: object({ status, exiResponse: text(5600) }),
  },
  has2be: {
    write: ({ schemaVersion, exiRequest }) => ({ '15118SchemaVersion': schemaVersion, exiRequest }),
    answer: object(
      { status, exiResponse: text(5600) },
      {
        contractSignatureCertificateChain: certificateChain,
        saProvisioningCertificateChain: certificateChain,
      },
    ),
  },
};
