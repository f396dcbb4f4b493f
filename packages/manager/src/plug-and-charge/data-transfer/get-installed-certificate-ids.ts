import { LISTS } from '../../certificates/certificate-lists.store.ts';
import * as installedCertificates from '../../certificates/installed-certificates.store.ts';
import { RuleViolation } from '../../commands/command.ts';
import type { PncCommand } from './tunnel.ts';

export const getInstalledCertificateIds: PncCommand<'GetInstalledCertificateIds'> = {
  check({ certificateType }, { dialect }) {
    if (dialect === 'has2be' && certificateType?.length !== 1)
      throw new RuleViolation(
        'H2B.2',
        'certificateType must be one type: the response in the dialect of has.to.be does not distinguish types',
      );
  },
  // NotFound: there are none of these types. Any other status except Accepted says nothing about what is installed.
  async onAnswer({ status, certificateHashDataChain }, { request }, { db, stationId, now: at }) {
    if (status !== 'Accepted' && status !== 'NotFound') return;
    const reported = status === 'Accepted' ? (certificateHashDataChain ?? []) : [];
    for (const certificateType of request.certificateType ?? LISTS.pnc) {
      const certificates = reported
        .filter((one) => one.certificateType === certificateType)
        .map(({ certificateHashData, childCertificateHashData: children }) => ({
          ...certificateHashData,
          ...(children !== undefined && children.length > 0 && { children }),
        }));
      await installedCertificates.replace(db, { stationId, certificateType }, { certificates, at });
    }
  },
};
