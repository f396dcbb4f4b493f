import { Type } from '@fastify/type-provider-typebox';
import { Certificate, CertificateRequest, HashData } from '../certificates/certificates.schemas.ts';
import { nullable, oneOf } from '../http/fields.ts';

export const Dialect = oneOf(['oca', 'has2be'] as const);
const { certificateRequestId: pncRequestId, ...requestFields } = CertificateRequest.properties;

export const PncCertificateRequest = Type.Object(
  { pncRequestId, dialect: Dialect, ...requestFields },
  { title: 'PncCertificateRequest' },
);
export const PncCertificate = Type.Object(
  {
    ...Certificate.properties,
    childCertificateHashData: nullable(
      Type.Array(HashData, { description: 'Its sub-CAs, if the station reported them' }),
    ),
  },
  { title: 'PncCertificate' },
);
