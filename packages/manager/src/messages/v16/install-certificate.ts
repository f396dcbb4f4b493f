import type { X509Certificate } from 'node:crypto';
import * as installedCertificates from '../../certificates/installed-certificates.store.ts';
import { readCertificates } from '../../certificates/pem.ts';
import { RuleViolation } from '../../commands/command.ts';
import type { Command } from '../../commands/command.ts';

export const installCertificate: Command<'InstallCertificate'> = {
  // Whether it is a valid root is for the station to check: OCTT sends certificates that stations must reject (TC_078).
  check({ certificate }) {
    if (!readOne(certificate))
      throw new RuleViolation('InstallCert.1', 'certificate must be exactly one X.509 certificate in PEM');
  },
  async onAnswer({ status }, { request }, { db, stationId, now }) {
    if (status !== 'Accepted') return;
    const { certificate: pem, certificateType } = request;
    const certificate = readOne(pem);
    // Possible with skipRules, if the station can parse it but Evander cannot.
    if (!certificate) return;
    const { serialNumber, subject, issuer, validFrom, validTo } = certificate;
    await installedCertificates.add(
      db,
      { stationId, certificateType },
      {
        pem,
        serialNumber,
        subject,
        issuer,
        validFrom: new Date(validFrom),
        validTo: new Date(validTo),
        at: now,
      },
    );
  },
};

function readOne(pem: string): X509Certificate | undefined {
  const certificates = readCertificates(pem);
  return certificates?.length === 1 ? certificates[0] : undefined;
}
