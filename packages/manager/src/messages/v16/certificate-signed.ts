import * as certificateRequests from '../../certificates/certificate-requests.store.ts';
import { requireRoomForChain } from '../../certificates/certificate.rules.ts';
import { isCertificateChain } from '../../certificates/pem.ts';
import { RuleViolation } from '../../commands/command.ts';
import type { Command } from '../../commands/command.ts';

export const certificateSigned: Command<'CertificateSigned'> = {
  async check({ certificateChain }, context) {
    const { db, stationId } = context;
    if (!isCertificateChain(certificateChain))
      throw new RuleViolation(
        'CertSigned.1',
        'certificateChain must be PEM certificates, the station certificate first',
      );
    await requireRoomForChain('CertSigned.1', certificateChain, context);
    if (!(await certificateRequests.waits(db, stationId)))
      throw new RuleViolation(
        'CertSigned.2',
        `station ${stationId} has no open SignCertificate; request one with ExtendedTriggerMessage SignChargePointCertificate`,
      );
  },
  async onRequest({ certificateChain }, { db, stationId, commandId, now: at }) {
    await certificateRequests.sign(db, { stationId, commandId, certificateChain, at });
  },
  // After rejecting a certificate, the station sends a security event and keeps the previous certificate (CertSigned.3).
  async onAnswer({ status }, _sent, { db, commandId, now: at }) {
    const answer =
      status === 'Accepted'
        ? ({ state: 'installed', reason: null } as const)
        : ({ state: 'refused', reason: status } as const);
    await certificateRequests.complete(db, { commandId, ...answer, at });
  },
  async onFailure({ reason }, _request, { db, commandId }) {
    await certificateRequests.waitAgain(db, { commandId, reason });
  },
};
