import { requireRoomForChain } from '../../certificates/certificate.rules.ts';
import * as installedCertificates from '../../certificates/installed-certificates.store.ts';
import { readCertificates } from '../../certificates/pem.ts';
import { RuleViolation } from '../../commands/command.ts';
import * as pncCertificateRequests from '../certificate-requests.store.ts';
import { readingOf } from './reading.ts';
import type { PncCommand } from './tunnel.ts';

export const certificateSigned: PncCommand<'CertificateSigned'> = {
  async check({ certificateChain }, context) {
    const { db, stationId } = context;
    if (!readCertificates(certificateChain))
      throw new RuleViolation(
        'PnC.11',
        "certificateChain must be certificates in PEM: the station's first, then its sub-CAs",
      );
    await requireRoomForChain('PnC.11', certificateChain, context);
    if (!(await pncCertificateRequests.waits(db, stationId)))
      throw new RuleViolation(
        'PnC.10',
        `no SignCertificate of station ${stationId} is waiting for a V2G certificate; request one with the tunnelled TriggerMessage`,
      );
  },
  async onRequest({ certificateChain }, { db, stationId, commandId, now: at }) {
    await pncCertificateRequests.sign(db, { stationId, commandId, certificateChain, at });
  },
  // A refused certificate may be followed by a security event; the previous certificate stays (PnC.11).
  async onAnswer({ status }, { request }, { db, stationId, commandId, now: at }) {
    const answer =
      status === 'Accepted'
        ? ({ state: 'installed', reason: null } as const)
        : ({ state: 'refused', reason: status } as const);
    await pncCertificateRequests.complete(db, { commandId, ...answer, at });
    const [leaf] = status === 'Accepted' ? (readCertificates(request.certificateChain) ?? []) : [];
    if (!leaf) return;
    const place = { stationId, certificateType: 'V2GCertificateChain' };
    await installedCertificates.add(db, place, { ...readingOf(leaf), pem: request.certificateChain, at });
  },
  async onFailure({ reason }, _request, { db, commandId }) {
    await pncCertificateRequests.waitAgain(db, { commandId, reason });
  },
};
