import { authorize } from './authorize.ts';
import { certificateSigned } from './certificate-signed.ts';
import { deleteCertificate } from './delete-certificate.ts';
import { get15118EVCertificate } from './get-15118-ev-certificate.ts';
import { getCertificateStatus } from './get-certificate-status.ts';
import { getInstalledCertificateIds } from './get-installed-certificate-ids.ts';
import { installCertificate } from './install-certificate.ts';
import { signCertificate } from './sign-certificate.ts';
import { triggerMessage } from './trigger-message.ts';
import type { PncCommand, PncCommandAction, PncMessage, PncStationAction } from './tunnel.ts';

/** The tunnelled actions that stations send, with their handlers. */
export const PNC_MESSAGES: { readonly [A in PncStationAction]: PncMessage<A> } = {
  Authorize: authorize,
  Get15118EVCertificate: get15118EVCertificate,
  GetCertificateStatus: getCertificateStatus,
  SignCertificate: signCertificate,
};

/** The tunnelled actions that Evander sends, with their handlers. */
export const PNC_COMMANDS: { readonly [A in PncCommandAction]: PncCommand<A> } = {
  CertificateSigned: certificateSigned,
  DeleteCertificate: deleteCertificate,
  GetInstalledCertificateIds: getInstalledCertificateIds,
  InstallCertificate: installCertificate,
  TriggerMessage: triggerMessage,
};
