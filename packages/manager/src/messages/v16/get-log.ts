import { withoutSecrets } from '@evander/process';
import type { Command } from '../../commands/command.ts';
import { checkTransfer, requireNewRequestId } from '../../jobs/job.rules.ts';
import * as jobs from '../../jobs/jobs.store.ts';

const kind = 'log';

export const getLog: Command<'GetLog'> = {
  ids: { requestId: 'requestId' },
  async check({ log, requestId, ...transfer }, context) {
    await requireNewRequestId('GetLog.1', requestId, context);
    await checkTransfer({ ...transfer, location: log.remoteLocation }, context);
  },
  async onRequest(request, { db, stationId, commandId, now }) {
    const { requestId, logType, log } = withoutSecrets('GetLog', request);
    const job = { stationId, kind, commandId, requestId, logType, location: log.remoteLocation } as const;
    await jobs.add(db, { ...job, requestedAt: now });
  },
  // No file name: the station has nothing to upload (GetLog.1). If it uploads a file anyway, the job continues.
  async onAnswer({ status, filename }, _sent, { db, stationId, commandId, now: at }) {
    if (status !== 'Accepted' && status !== 'AcceptedCanceled')
      return jobs.fail(db, { commandId, reason: status, at });
    const outcome = filename === undefined || filename === '' ? 'nothingToDo' : 'running';
    await jobs.accept(db, { commandId, at, fileName: filename ?? null, outcome });
    if (status === 'AcceptedCanceled') await jobs.supersede(db, { stationId, kind, at });
  },
  async onFailure({ reason }, _request, { db, commandId, now: at }) {
    await jobs.fail(db, { commandId, reason, at });
  },
};
