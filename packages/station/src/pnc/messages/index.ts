import type { Dialect } from '../../options/dialect.ts';
import type { PncCommand } from '../command.ts';
import { certificateSigned } from './certificate-signed.ts';
import { deleteCertificate } from './delete-certificate.ts';
import { getInstalledCertificateIds } from './get-installed-certificate-ids.ts';
import { installCertificate } from './install-certificate.ts';
import { triggerMessage } from './trigger-message.ts';

/** The manager's messages in the tunnel; messageIds are case-insensitive. */
export const commands: { readonly [D in Dialect]: ReadonlyMap<string, PncCommand> } = {
  oca: byMessageId({
    CertificateSigned: certificateSigned.oca,
    DeleteCertificate: deleteCertificate.oca,
    GetInstalledCertificateIds: getInstalledCertificateIds.oca,
    InstallCertificate: installCertificate.oca,
    TriggerMessage: triggerMessage.oca,
  }),
  has2be: byMessageId({
    CertificateSigned: certificateSigned.has2be,
    DeleteCertificate: deleteCertificate.has2be,
    GetInstalledCertificateIds: getInstalledCertificateIds.has2be,
    InstallCertificate: installCertificate.has2be,
    // Implementations use different names.
    ExtendedTriggerMessage: triggerMessage.has2be,
    TriggerMessage: triggerMessage.has2be,
  }),
};

function byMessageId(table: Record<string, PncCommand>): ReadonlyMap<string, PncCommand> {
  return new Map(Object.entries(table).map(([messageId, command]) => [messageId.toLowerCase(), command]));
}
