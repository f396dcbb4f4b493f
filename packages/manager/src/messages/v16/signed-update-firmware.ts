import { HIDDEN, withoutSecrets } from '@evander/process';
import { isCertificateChain } from '../../certificates/pem.ts';
import { RuleViolation } from '../../commands/command.ts';
import type { Command } from '../../commands/command.ts';
import type { Db } from '../../database/database.ts';
import { plainUpdate } from '../../files/file-requests.ts';
import { checkTransfer, requireNewRequestId } from '../../jobs/job.rules.ts';
import * as jobs from '../../jobs/jobs.store.ts';

const kind = 'signedFirmware';
const BASE64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/;

export const signedUpdateFirmware: Command<'SignedUpdateFirmware'> = {
  ids: { requestId: 'requestId' },
  // A wrong signature may be sent: the station must detect it (TC_081).
  async check({ firmware, requestId, ...transfer }, context) {
    const { signingCertificate, signature, location } = firmware;
    await requireNewRequestId('SignedUpdate.1', requestId, context);
    await checkTransfer({ ...transfer, location }, context);
    if (!isCertificateChain(signingCertificate))
      throw new RuleViolation('SignedUpdate.1', 'signingCertificate must be a certificate in PEM');
    if (signature === '' || !BASE64.test(signature))
      throw new RuleViolation('SignedUpdate.1', 'signature must be base64');
  },
  async onRequest(request, { db, stationId, commandId, now }) {
    const { requestId, firmware } = withoutSecrets('SignedUpdateFirmware', request);
    const job = {
      stationId,
      kind,
      commandId,
      requestId,
      logType: null,
      location: firmware.location,
    } as const;
    await jobs.add(db, { ...job, requestedAt: now });
  },
  // InvalidCertificate and RevokedCertificate end the job too: no status follows (SignedUpdate.2).
  async onAnswer({ status }, _sent, { db, stationId, commandId, now: at }) {
    if (status !== 'Accepted' && status !== 'AcceptedCanceled')
      return jobs.fail(db, { commandId, reason: status, at });
    await jobs.accept(db, { commandId, at, fileName: null, outcome: 'running' });
    if (status === 'AcceptedCanceled') await jobs.supersede(db, { stationId, kind, at });
  },
  async onFailure({ reason }, _request, { db, commandId, now: at }) {
    await jobs.fail(db, { commandId, reason, at });
  },
  async instead(request, { db, commandId }) {
    // The stored request has lost its link if the answer arrives very late.
    const isLinkHidden = request.firmware.location.includes(HIDDEN);
    if (isLinkHidden || !(await jobs.mayFallBack(db, commandId))) return undefined;
    const alongside = (tx: Db, otherCommandId: string): Promise<void> =>
      jobs.noteOtherCommand(tx, commandId, otherCommandId);
    return { action: 'UpdateFirmware', request: plainUpdate(request), alongside };
  },
};
