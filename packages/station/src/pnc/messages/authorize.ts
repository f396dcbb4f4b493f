import type { OcspRequestData } from '../fields.ts';
import type { PncMessage } from '../message.ts';
import { dateTime, object, oneOf } from '../shape.ts';

export type AuthorizeRequest = {
  /** The eMAID. */
  idToken: string;
  /** The contract's chain in PEM, if the station has no root for it; not in Has2Be. */
  certificate?: string;
  /** Hash data of the contract's certificate and its sub-CAs; required in Has2Be. */
  iso15118CertificateHashData?: OcspRequestData[];
};

export type AuthorizeAnswer = {
  idTokenInfo: { status: string; cacheExpiryDateTime?: string };
  certificateStatus?: string;
};

const statuses = ['Accepted', 'Blocked', 'ConcurrentTx', 'Expired', 'Invalid'] as const;
const has2beStatuses = ['NoCredit', 'NotAllowedTypeEVSE', 'NotAtThisLocation', 'NotAtThisTime'] as const;
const certificateStatuses = [
  'Accepted',
  'SignatureError',
  'CertificateExpired',
  'CertificateRevoked',
  'NoCertificateAvailable',
  'CertChainError',
  'ContractCancelled',
] as const;

/** PNC §5: asks whether this contract may charge. */
export const authorize: PncMessage<AuthorizeRequest, AuthorizeAnswer> = {
  messageId: 'Authorize',
  oca: {
    write: ({ idToken, ...rest }) => ({ idToken: { idToken }, ...rest }),
    answer: object(
      { idTokenInfo: object({ status: oneOf(...statuses) }, { cacheExpiryDateTime: dateTime }) },
      { certificateStatus: oneOf(...certificateStatuses) },
    ),
  },
  has2be: {
    write: ({ idToken, certificate, iso15118CertificateHashData }) => {
      if (certificate !== undefined || !iso15118CertificateHashData?.length)
        throw new Error('Authorize of Has2Be takes no certificate; give iso15118CertificateHashData alone');
      return {
        idToken: { idToken, type: 'eMAID' },
        '15118CertificateHashData': iso15118CertificateHashData,
      };
    },
    answer: object({
      idTokenInfo: object(
        { status: oneOf(...statuses, ...has2beStatuses, 'Unknown') },
        { cacheExpiryDateTime: dateTime },
      ),
      certificateStatus: oneOf('Accepted', 'CertificateRevoked'),
    }),
  },
};
