import * as installedCertificates from '../../certificates/installed-certificates.store.ts';
import { readCertificates } from '../../certificates/pem.ts';
import { RuleViolation } from '../../commands/command.ts';
import { readingOf } from './reading.ts';
import type { PncCommand } from './tunnel.ts';

export const installCertificate: PncCommand<'InstallCertificate'> = {
  // The station checks whether it is a valid root.
  check({ certificate }) {
    if (readCertificates(certificate)?.length !== 1)
      throw new RuleViolation('InstallCert.1', 'certificate must be exactly one X.509 certificate in PEM');
  },
  async onAnswer({ status }, { request }, { db, stationId, now: at }) {
    if (status !== 'Accepted') return;
    const { certificate: pem, certificateType } = request;
    const [certificate] = readCertificates(pem) ?? [];
    // Sent with skipRules: Evander cannot read what the station accepted.
    if (!certificate) return;
    await installedCertificates.add(
      db,
      { stationId, certificateType },
      { ...readingOf(certificate), pem, at },
    );
  },
};
