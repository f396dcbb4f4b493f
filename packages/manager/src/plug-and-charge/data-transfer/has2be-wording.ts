import type { TunnelRequests, TunnelResponses } from '@evander/ocpp';
import { hexOfPem, pemOfHex, requestAsPem } from './has2be-der-hex.ts';
import type { PncRequests, PncResponses } from './tunnel.ts';
import type { Wordings } from './wording.ts';

type Requests = TunnelRequests['has2be'];
type Responses = TunnelResponses['has2be'];

/** The default: stations may omit the version, and EVs of that time use ISO 15118-2. */
const SCHEMA_VERSION = 'urn:iso:15118:2:2013:MsgDef';

/** Actions with another messageId in this dialect; only some implementations use the second one (H2B.7). */
export const HAS2BE_MESSAGE_IDS = { TriggerMessage: ['ExtendedTriggerMessage', 'TriggerMessage'] };

/** The extension of has.to.be: other names, hex DER instead of PEM, fewer enumeration values. */
export const HAS2BE_WORDING: Wordings = {
  Authorize: {
    readRequest: ({ idToken, '15118CertificateHashData': hashData }: Requests['Authorize']) =>
      ({ idToken, iso15118CertificateHashData: hashData }) satisfies PncRequests['Authorize'],
    // The dialect has only this value for all faults of a certificate (H2B.4).
    writeResponse: ({ certificateStatus = 'Accepted', idTokenInfo }: PncResponses['Authorize']) =>
      ({
        certificateStatus: certificateStatus === 'Accepted' ? 'Accepted' : 'CertificateRevoked',
        idTokenInfo,
      }) satisfies Responses['Authorize'],
  },
  CertificateSigned: {
    writeRequest: ({ certificateChain }: PncRequests['CertificateSigned']) =>
      ({
        cert: hexOfPem(certificateChain),
        typeOfCertificate: 'V2GCertificate',
      }) satisfies Requests['CertificateSigned'],
    readRequest: ({ cert }: Requests['CertificateSigned']) =>
      ({ certificateChain: pemOfHex(cert) }) satisfies PncRequests['CertificateSigned'],
  },
  Get15118EVCertificate: {
    // Only the EXI says whether it is an install or an update (H2B.6).
    readRequest: ({
      exiRequest,
      '15118SchemaVersion': version = SCHEMA_VERSION,
    }: Requests['Get15118EVCertificate']) =>
      ({
        exiRequest,
        iso15118SchemaVersion: version,
        action: 'Install',
      }) satisfies PncRequests['Get15118EVCertificate'],
  },
  GetCertificateStatus: {
    writeResponse: (
      { status, ...rest }: PncResponses['GetCertificateStatus'],
      { has2beFailure = 'Failed' }: { has2beFailure?: 'Failed' | 'Rejected' },
    ) =>
      ({
        status: status === 'Accepted' ? 'Accepted' : has2beFailure,
        ...rest,
      }) satisfies Responses['GetCertificateStatus'],
  },
  GetInstalledCertificateIds: {
    writeRequest: ({ certificateType }: PncRequests['GetInstalledCertificateIds']) =>
      ({
        ...(certificateType !== undefined && { typeOfCertificate: certificateType }),
      }) satisfies Requests['GetInstalledCertificateIds'],
    readRequest: ({ typeOfCertificate }: Requests['GetInstalledCertificateIds']) => ({
      ...(typeOfCertificate !== undefined && { certificateType: typeOfCertificate }),
    }),
    // The response does not state their type: it is the requested one.
    readResponse: (
      { status, certificateHashDataChain, certificateHashData }: Responses['GetInstalledCertificateIds'],
      { request }: { request?: PncRequests['GetInstalledCertificateIds'] },
    ) => {
      const [certificateType = 'V2GRootCertificate'] = request?.certificateType ?? [];
      const certificates = certificateHashDataChain ?? certificateHashData ?? [];
      return {
        status,
        certificateHashDataChain: certificates.map((one) => ({ certificateType, certificateHashData: one })),
      } satisfies PncResponses['GetInstalledCertificateIds'];
    },
  },
  InstallCertificate: {
    writeRequest: ({ certificateType, certificate }: PncRequests['InstallCertificate']) =>
      ({ certificateType, certificate: hexOfPem(certificate) }) satisfies Requests['InstallCertificate'],
    readRequest: ({ certificateType, certificate }: Requests['InstallCertificate']) => ({
      certificateType,
      certificate: pemOfHex(certificate),
    }),
  },
  SignCertificate: {
    readRequest: ({ csr, typeOfCertificate }: Requests['SignCertificate']) => ({
      csr: requestAsPem(csr),
      ...(typeOfCertificate !== undefined && { certificateType: typeOfCertificate }),
    }),
  },
  TriggerMessage: {
    writeRequest: () =>
      ({ requestedMessage: 'SignV2GCertificate' }) satisfies Requests['ExtendedTriggerMessage'],
  },
};
