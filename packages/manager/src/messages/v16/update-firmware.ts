import { withoutSecrets } from '@evander/process';
import type { Command } from '../../commands/command.ts';
import { checkTransfer } from '../../jobs/job.rules.ts';
import * as jobs from '../../jobs/jobs.store.ts';

const kind = 'firmware';

/** There is no requestId: a station has one such job at a time. */
export const updateFirmware: Command<'UpdateFirmware'> = {
  check: checkTransfer,
  async onRequest(request, { db, stationId, commandId, now }) {
    const { location } = withoutSecrets('UpdateFirmware', request);
    const job = { stationId, kind, commandId, requestId: null, logType: null, location } as const;
    await jobs.add(db, { ...job, requestedAt: now });
  },
  // The answer has no status: it only confirms receipt (UpdateFirmware.1).
  async onAnswer(_response, _sent, { db, stationId, commandId, now: at }) {
    await jobs.accept(db, { commandId, at, fileName: null, outcome: 'running' });
    await jobs.supersede(db, { stationId, kind, at });
  },
  async onFailure({ reason }, _request, { db, commandId, now: at }) {
    await jobs.fail(db, { commandId, reason, at });
  },
};
