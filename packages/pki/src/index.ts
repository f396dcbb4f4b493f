export { CertificateAuthority } from './authority.ts';
export type { IssueOptions, KeyType } from './authority.ts';
export { Certificate, CertificateError, readChain } from './certificate.ts';
export type { CertificateHash, HashAlgorithm } from './certificate.ts';
export { EstClient, EstError } from './est.ts';
export type { EstOptions } from './est.ts';
export { isCurrent, isHashAlgorithm, ocspRequest, readOcspResponse } from './ocsp-answer.ts';
export type { OcspAnswer } from './ocsp-answer.ts';
export {
  OCSP_MALFORMED_REQUEST,
  OCSP_UNAUTHORIZED,
  OCSP_VALID_MS,
  readOcspQuestion,
} from './ocsp-responder.ts';
export type { CertificateStatus, OcspQuestion } from './ocsp-responder.ts';
export { validatePath } from './path.ts';
export type { PathFault, PathResult } from './path.ts';
export { readCrl } from './revocation-list.ts';
export type { RevocationList } from './revocation-list.ts';
export { faultsOf, readSigningRequest } from './signing-request.ts';
export type { SigningRequest } from './signing-request.ts';
export { serialKey } from './x509.ts';
