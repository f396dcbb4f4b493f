import * as installedCertificates from '../../certificates/installed-certificates.store.ts';
import { RuleViolation } from '../../commands/command.ts';
import type { Command } from '../../commands/command.ts';

export const deleteCertificate: Command<'DeleteCertificate'> = {
  repeatable: true,
  async check({ certificateHashData }, { db, stationId }) {
    if (await installedCertificates.isLastRoot(db, stationId, certificateHashData))
      throw new RuleViolation(
        'DeleteCert.2',
        `this is the last known CentralSystemRootCertificate of station ${stationId}; without one it trusts no central system; install another one first`,
      );
  },
  // NotFound: the station does not have it any more (DeleteCert.2).
  async onAnswer({ status }, { request }, { db, stationId }) {
    if (status !== 'Accepted' && status !== 'NotFound') return;
    await installedCertificates.remove(db, { stationId, list: 'ocpp' }, request.certificateHashData);
  },
};
