import { withoutSecrets } from '@evander/process';
import type { Command } from '../../commands/command.ts';
import { checkTransfer } from '../../jobs/job.rules.ts';
import * as jobs from '../../jobs/jobs.store.ts';

const kind = 'diagnostics';

/** There is no requestId: a station has one such job at a time (GetDiagnostics.2). */
export const getDiagnostics: Command<'GetDiagnostics'> = {
  check: checkTransfer,
  async onRequest(request, { db, stationId, commandId, now }) {
    const { location } = withoutSecrets('GetDiagnostics', request);
    const job = { stationId, kind, commandId, requestId: null, logType: null, location } as const;
    await jobs.add(db, { ...job, requestedAt: now });
  },
  // No file name: the station has nothing to upload (GetDiagnostics.1).
  async onAnswer({ fileName }, _sent, { db, stationId, commandId, now: at }) {
    const outcome = fileName === undefined || fileName === '' ? 'nothingToDo' : 'running';
    await jobs.accept(db, { commandId, at, fileName: fileName ?? null, outcome });
    await jobs.supersede(db, { stationId, kind, at });
  },
  async onFailure({ reason }, _request, { db, commandId, now: at }) {
    await jobs.fail(db, { commandId, reason, at });
  },
};
