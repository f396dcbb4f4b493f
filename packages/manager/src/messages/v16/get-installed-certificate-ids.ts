import * as installedCertificates from '../../certificates/installed-certificates.store.ts';
import type { Command } from '../../commands/command.ts';

export const getInstalledCertificateIds: Command<'GetInstalledCertificateIds'> = {
  repeatable: true,
  // NotFound: none of this type (InstalledIds.1). Anything else but Accepted says nothing of what there is.
  async onAnswer({ status, certificateHashData }, { request }, { db, stationId, now }) {
    if (status !== 'Accepted' && status !== 'NotFound') return;
    const certificates = status === 'Accepted' ? (certificateHashData ?? []) : [];
    const { certificateType } = request;
    await installedCertificates.replace(db, { stationId, certificateType }, { certificates, at: now });
  },
};
