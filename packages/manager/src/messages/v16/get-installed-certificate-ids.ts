import * as installedCertificates from '../../certificates/installed-certificates.store.ts';
import type { Command } from '../../commands/command.ts';

export const getInstalledCertificateIds: Command<'GetInstalledCertificateIds'> = {
  repeatable: true,
  // NotFound: none of this type (InstalledIds.1). Any other status except Accepted says nothing about the certificates.
  async onAnswer({ status, certificateHashData }, { request }, { db, stationId, now }) {
    if (status !== 'Accepted' && status !== 'NotFound') return;
    const certificates = status === 'Accepted' ? (certificateHashData ?? []) : [];
    const { certificateType } = request;
    await installedCertificates.replace(db, { stationId, certificateType }, { certificates, at: now });
  },
};
